//! Numbers and dates of cells as a person sees them.
//!
//! Of a number format (ECMA-376 part 1, 18.8.31) count the decimals, the percent sign, leading zeros and the words or
//! currency around the number. Thousands are not set apart and dates are ISO 8601: a question may come in any language.

use calamine::ExcelDateTime;

/// A number tells no more: the digits after these are noise of the machine's arithmetic.
const DIGITS: i32 = 15;

/// More decimals are no number format that a person chose.
const MAX_DECIMALS: usize = 15;

/// A number written in a number format; an unknown format gives the plain number.
pub fn with_format(number: f64, format: &str) -> String {
    match Shape::parse(format) {
        Some(shape) => shape.write(number),
        None => plain(number),
    }
}

/// A number without a format: `3`, `0.1`, never `3.0` or `0.30000000000000004`.
pub fn plain(number: f64) -> String {
    if number == 0.0 || !number.is_finite() {
        return if number == 0.0 { "0".to_owned() } else { number.to_string() };
    }
    #[expect(clippy::cast_possible_truncation, reason = "the exponent of a double is at most 308")]
    let exponent = number.abs().log10().floor() as i32;
    let decimals = usize::try_from(DIGITS - 1 - exponent).unwrap_or(0).min(30);
    let text = format!("{number:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    // Smaller than thirty decimals tell.
    if matches!(text, "0" | "-0") { format!("{number:e}") } else { text.to_owned() }
}

/// A date, a time, both, or a duration in hours.
pub fn date_time(time: ExcelDateTime) -> String {
    let value = time.as_f64();
    if time.is_duration() {
        let sign = if value < 0.0 { "-" } else { "" };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative; casts saturate")]
        let seconds = (value.abs() * 86_400.0).round() as u64;
        return format!("{sign}{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
    let (year, month, day, hour, minute, second, milli) = time.to_ymd_hms_milli();
    let seconds = if second > 0 || milli > 0 { format!(":{second:02}") } else { String::new() };
    let clock = format!("{hour:02}:{minute:02}{seconds}");
    let date = format!("{year:04}-{month:02}-{day:02}");
    if (0.0..1.0).contains(&value) {
        clock
    } else if (hour, minute, second, milli) == (0, 0, 0, 0) {
        date
    } else {
        format!("{date} {clock}")
    }
}

/// What counts of a number format.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shape {
    before: String,
    zeros: usize,
    decimals: usize,
    /// How many of the decimals are written even when they are 0.
    fixed_decimals: usize,
    is_percent: bool,
    after: String,
}

impl Shape {
    /// Reads the first section of a format: that of numbers above 0.
    fn parse(format: &str) -> Option<Self> {
        let mut shape = Self::default();
        let (mut digits, mut in_decimals) = (0, false);
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            let literal: String = match c {
                ';' => break,
                '0' | '#' | '?' => {
                    digits += 1;
                    shape.decimals += usize::from(in_decimals);
                    shape.fixed_decimals += usize::from(in_decimals && c != '#');
                    shape.zeros += usize::from(!in_decimals && c == '0');
                    continue;
                }
                '.' => {
                    in_decimals = true;
                    continue;
                }
                ',' => continue,
                '%' => {
                    shape.is_percent = true;
                    continue;
                }
                // A space as wide as the next character, or the next character as often as it fits.
                '_' | '*' => {
                    chars.next();
                    continue;
                }
                '\\' => chars.next().map(String::from).unwrap_or_default(),
                '"' => chars.by_ref().take_while(|c| *c != '"').collect(),
                '[' => currency(&chars.by_ref().take_while(|c| *c != ']').collect::<String>()),
                // Fractions, powers, dates and words are read as plain numbers.
                '/' | 'E' | 'e' | '@' => return None,
                c if c.is_ascii_alphabetic() => return None,
                c => c.to_string(),
            };
            let side = if digits == 0 { &mut shape.before } else { &mut shape.after };
            side.push_str(&literal);
        }
        (digits > 0 && shape.decimals <= MAX_DECIMALS).then_some(shape)
    }

    fn write(&self, number: f64) -> String {
        let number = if self.is_percent { number * 100.0 } else { number };
        let decimals = self.decimals;
        let digits = format!("{:.decimals$}", number.abs());
        let (whole, rest) = digits.split_once('.').unwrap_or((&digits, ""));
        let end = rest.trim_end_matches('0').len().max(self.fixed_decimals.min(rest.len()));
        let (zeros, point) = (self.zeros, if end > 0 { "." } else { "" });
        let digits = format!("{whole:0>zeros$}{point}{}", &rest[..end]);
        let is_zero = !digits.contains(|c: char| ('1'..='9').contains(&c));
        let sign = if number < 0.0 && !is_zero { "-" } else { "" };
        let percent = if self.is_percent { "%" } else { "" };
        let Self { before, after, .. } = self;
        format!("{before}{sign}{digits}{percent}{after}").trim().to_owned()
    }
}

/// The sign in `[$€-407]`; colours and conditions are none.
fn currency(bracket: &str) -> String {
    let sign = bracket.strip_prefix('$').map(|rest| rest.split('-').next().unwrap_or_default());
    sign.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use calamine::ExcelDateTimeType::{DateTime, TimeDelta};

    use super::*;

    #[test]
    fn plain_numbers() {
        let numbers =
            [(1.0, "1"), (-2.5, "-2.5"), (0.1 + 0.2, "0.3"), (1e15, "1000000000000000"), (0.0, "0"), (1e-40, "1e-40")];
        for (number, text) in numbers {
            assert_eq!(plain(number), text);
        }
        assert_eq!(plain(1e300).len(), 301);
        assert_eq!(plain(f64::NAN), "NaN");
    }

    #[test]
    fn formatted_numbers() {
        let formats = [
            (0.19, "0%", "19%"),
            (0.1234, "0.00%", "12.34%"),
            (19.9, "0.00", "19.90"),
            (1234.5, "#,##0.00 [$€-407]", "1234.50 €"),
            (-5.0, "\"$\"#,##0;[Red]-\"$\"#,##0", "$-5"),
            (7.0, "00000", "00007"),
            (3.0, "0 \"cups\"", "3 cups"),
            (2.5, "General", "2.5"),
            (0.5, "# ?/?", "0.5"),
            (12.5, "_(* #,##0.0_)", "12.5"),
            (-0.001, "0.00", "0.00"),
            (1.5, "[>=1]0.0;0", "1.5"),
            (3.25, "#.##", "3.25"),
            (3.5, "#,##0.0##", "3.5"),
        ];
        for (number, format, text) in formats {
            assert_eq!(with_format(number, format), text, "{format}");
        }
    }

    #[test]
    fn dates_and_times() {
        let text = |value, kind| date_time(ExcelDateTime::new(value, kind, false));
        assert_eq!(text(45943.0, DateTime), "2025-10-13");
        assert_eq!(text(45943.5, DateTime), "2025-10-13 12:00");
        assert_eq!(text(0.3125, DateTime), "07:30");
        assert_eq!(text(1.5, TimeDelta), "36:00:00");
        assert!(!text(f64::NAN, DateTime).is_empty() && !text(1e300, TimeDelta).is_empty());
    }
}
