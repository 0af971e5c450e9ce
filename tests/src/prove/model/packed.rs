//! Small numbers, side by side in a large one.

/// Puts numbers side by side.
#[derive(Debug, Default)]
pub(super) struct Packer {
    bits: u128,
    used: u32,
}

impl Packer {
    pub(super) fn put(&mut self, value: u8, width: u32) {
        self.put_bits(u128::from(value), width);
    }

    pub(super) fn put_bits(&mut self, value: u128, width: u32) {
        debug_assert!(value < 1 << width && self.used + width <= u128::BITS, "a number has its place");
        self.bits |= value << self.used;
        self.used += width;
    }

    pub(super) const fn finish(self) -> u128 {
        self.bits
    }
}

/// Takes them out again, in the same order.
#[derive(Debug)]
pub(super) struct Unpacker(pub(super) u128);

impl Unpacker {
    /// The next number, of up to 8 bits.
    pub(super) fn take(&mut self, width: u32) -> u8 {
        let [low, ..] = (self.0 & ((1 << width) - 1)).to_le_bytes();
        self.0 >>= width;
        low
    }

    pub(super) fn pick<T: Copy>(&mut self, all: &[T], width: u32) -> T {
        all[usize::from(self.take(width))]
    }
}
