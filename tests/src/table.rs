//! Tables of what was measured or tried.

/// Lines under a head.
#[derive(Debug, Clone)]
pub struct Table<const COLUMNS: usize> {
    lines: Vec<[String; COLUMNS]>,
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    /// A table with this head.
    pub fn new(head: [&str; COLUMNS]) -> Self {
        Self { lines: vec![head.map(str::to_owned)] }
    }

    /// Adds a line.
    pub fn add(&mut self, line: [String; COLUMNS]) {
        self.lines.push(line);
    }

    /// Prints a Markdown table.
    pub fn print(&self) {
        let mut widths = [0; COLUMNS];
        for line in &self.lines {
            widths.iter_mut().zip(line).for_each(|(width, cell)| *width = (*width).max(cell.chars().count()));
        }
        for (number, line) in self.lines.iter().enumerate() {
            let cells: Vec<_> =
                line.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            println!("| {} |", cells.join(" | "));
            if number == 0 {
                println!("|{}|", widths.map(|width| "-".repeat(width + 2)).join("|"));
            }
        }
    }
}

/// Digits in groups of three.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
