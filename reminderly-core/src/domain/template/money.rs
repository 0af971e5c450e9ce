//! Amounts of money.

use std::fmt::Write;

/// The most digits before the decimal point.
const DIGITS_MAX: usize = 15;

/// The amount with a symbol, separators of thousands and two decimals; `None` if the text is no amount.
///
/// Taken are digits with an optional sign, optional commas at every third digit and up to two decimals after a point. What
/// could be read in two ways is refused: `1.234,50`, `1,5`, `1e3`.
pub(super) fn money(text: &str, symbol: &str) -> Option<String> {
    let text = text.trim();
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let text = text.strip_prefix(symbol).unwrap_or(text);
    let (whole, cents) = text.split_once('.').unwrap_or((text, "0"));
    let digits = whole_digits(whole)?;
    let valid_cents = (1..=2).contains(&cents.len()) && cents.bytes().all(|byte| byte.is_ascii_digit());
    if !valid_cents {
        return None;
    }
    let significant = digits.trim_start_matches('0');
    let digits = if significant.is_empty() { "0" } else { significant };
    let zero = digits == "0" && cents.bytes().all(|byte| byte == b'0');
    let mut amount = String::with_capacity(symbol.len() + digits.len() * 2 + 4);
    amount.push_str(if negative && !zero { "-" } else { "" });
    amount.push_str(symbol);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position) % 3 == 0 {
            amount.push(',');
        }
        amount.push(digit);
    }
    // Writing into a string cannot fail.
    write!(amount, ".{cents:0<2}").ok()?;
    Some(amount)
}

fn whole_digits(whole: &str) -> Option<String> {
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let mut digits = first.to_owned();
    for group in groups {
        if group.len() != 3 || !(1..=3).contains(&first.len()) {
            return None;
        }
        digits.push_str(group);
    }
    let valid = (1..=DIGITS_MAX).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    valid.then_some(digits)
}
