//! How many parts a text message takes: carriers bill and cut by parts, and one long name or one Chinese character can
//! double them, so the worst case counts and not the sample that everybody looked at.
//!
//! A message of the GSM 03.38 alphabet holds 160 signs, or 153 in each of several parts; some signs count twice. One
//! sign beside that alphabet, such as any Chinese character, makes the whole message UCS-2: 70 signs, or 67 in each part.

use super::words;
use super::world::World;
use crate::diagnostic::{Diagnostic, code};
use crate::expr::{Expr, Function};
use crate::name::Name;
use crate::text::Span;
use crate::value::{Type, Value};

/// The basic alphabet of GSM 03.38 beside letters, digits and blanks.
const GSM: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";
/// Signs that take the place of two.
const GSM_TWICE: &str = "^{}\\[~]|€\u{c}";

/// The last of both in the order of Unicode.
const LAST_GSM: char = '€';

/// A text without a length of its own: a name, mostly.
const TEXT: usize = 20;
/// Such a text in a sample.
const TEXT_SAMPLE: usize = 3;
/// Numbers of applications and the like are long in every sample.
const ID_SAMPLE: usize = 12;
/// A tracked link as the dispatcher writes it.
const LINK: usize = 36;
/// An amount below a hundred million with its fen, a blank and the unit: `99,999,999.99 元`.
const MONEY: usize = 15;
const MONEY_SAMPLE: usize = 10;
/// Digits of a whole number.
const NUMBER: usize = 10;
const NUMBER_SAMPLE: usize = 2;

/// How long something can get, in signs of the message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    /// In the GSM alphabet, where it fits in; signs that count twice are two.
    gsm: usize,
    /// In UTF-16 units.
    wide: usize,
    /// The same of an ordinary value.
    gsm_sample: usize,
    wide_sample: usize,
    /// Some sign may be beside the GSM alphabet; and is so in an ordinary value.
    needs_wide: bool,
    sample_needs_wide: bool,
}

impl Extent {
    pub(super) fn of_text(text: &str) -> Self {
        let (mut gsm, mut wide, mut needs_wide) = (0, 0, false);
        for sign in text.chars() {
            let plain = sign.is_ascii_alphanumeric() || sign == ' ' || sign > LAST_GSM;
            gsm += if !plain && GSM_TWICE.contains(sign) { 2 } else { 1 };
            wide += sign.len_utf16();
            needs_wide = needs_wide || !is_gsm(sign);
        }
        Self { gsm, wide, gsm_sample: gsm, wide_sample: wide, needs_wide, sample_needs_wide: needs_wide }
    }

    fn of_signs(most: usize, sample: usize, needs_wide: bool) -> Self {
        Self {
            gsm: most,
            wide: most,
            gsm_sample: sample,
            wide_sample: sample,
            needs_wide,
            sample_needs_wide: needs_wide,
        }
    }

    /// The longer of two, each way.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            gsm: self.gsm.max(other.gsm),
            wide: self.wide.max(other.wide),
            gsm_sample: self.gsm_sample,
            wide_sample: self.wide_sample,
            needs_wide: self.needs_wide || other.needs_wide,
            sample_needs_wide: self.sample_needs_wide,
        }
    }

    /// One behind the other.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            gsm: self.gsm + other.gsm,
            wide: self.wide + other.wide,
            gsm_sample: self.gsm_sample + other.gsm_sample,
            wide_sample: self.wide_sample + other.wide_sample,
            needs_wide: self.needs_wide || other.needs_wide,
            sample_needs_wide: self.sample_needs_wide || other.sample_needs_wide,
        }
    }

    fn worst(self) -> (usize, usize) {
        parts(self.gsm, self.wide, self.needs_wide)
    }

    fn sample(self) -> (usize, usize) {
        parts(self.gsm_sample, self.wide_sample, self.sample_needs_wide)
    }
}

fn is_gsm(sign: char) -> bool {
    let letter = sign.is_ascii_alphanumeric() || sign == ' ';
    letter || sign <= LAST_GSM && (GSM.contains(sign) || GSM_TWICE.contains(sign))
}

/// Signs of a text message, the parts that it takes, and whether some sign is beside the GSM alphabet.
#[must_use]
pub fn sms_parts(text: &str) -> (usize, usize, bool) {
    let extent = Extent::of_text(text);
    let (signs, parts) = extent.worst();
    (signs, parts, extent.needs_wide)
}

/// Signs, and the parts that they need.
fn parts(gsm: usize, wide: usize, needs_wide: bool) -> (usize, usize) {
    let (signs, one, each) = if needs_wide { (wide, 70, 67) } else { (gsm, 160, 153) };
    (signs, if signs <= one { 1 } else { signs.div_ceil(each) })
}

/// How long the value of a hole can get.
pub(super) fn of_hole(world: &World, expr: &Expr, ty: &Type, locale: Option<Name>) -> Extent {
    match expr {
        Expr::Const(Value::Text(text)) => Extent::of_text(text),
        Expr::Otherwise(value, fallback) => {
            of_hole(world, value, ty, locale).or(of_hole(world, fallback, ty, locale))
        }
        Expr::Call(Function::Link, _) => Extent::of_signs(LINK, LINK, false),
        Expr::Call(Function::Money, _) => Extent::of_signs(MONEY, MONEY_SAMPLE, true),
        Expr::Call(Function::Date, _) => date(locale),
        _ => of_type(world, ty, locale),
    }
}

fn of_type(world: &World, ty: &Type, locale: Option<Name>) -> Extent {
    match ty.known() {
        Type::Int => Extent::of_signs(NUMBER, NUMBER_SAMPLE, false),
        Type::Decimal | Type::Percent => Extent::of_signs(NUMBER, NUMBER_SAMPLE + 2, false),
        Type::Money(currency) => Extent::of_signs(MONEY, MONEY_SAMPLE, currency.as_str() == "CNY"),
        Type::Date | Type::Moment => date(locale),
        Type::Time => Extent::of_signs(5, 5, false),
        Type::Id => Extent::of_signs(TEXT, ID_SAMPLE, false),
        Type::ShortText(most) => {
            let most = usize::from(*most);
            Extent::of_signs(most, most.min(TEXT_SAMPLE), true)
        }
        ty @ (Type::Choice(_) | Type::OneOf(_)) => {
            let cases = words::cases(&world.model, ty);
            let longest = cases.iter().map(|case| case.as_str()).max_by_key(|case| case.chars().count());
            Extent::of_text(longest.unwrap_or_default())
        }
        _ => Extent::of_signs(TEXT, TEXT_SAMPLE, true),
    }
}

/// `2026年12月31日`, `31 December 2026`
fn date(locale: Option<Name>) -> Extent {
    let english = locale.is_some_and(|locale| locale.as_str().starts_with("en"));
    if english { Extent::of_signs(17, 16, false) } else { Extent::of_signs(11, 10, true) }
}

/// What is to be said of a message that may take `most` parts.
pub(super) fn finding(extent: Extent, channel: Name, most: u32, span: Span) -> Option<Diagnostic> {
    let ((signs, parts), (sample_signs, sample)) = (extent.worst(), extent.sample());
    let alphabet =
        if extent.needs_wide { "UCS-2, 70 signs or 67 a part" } else { "GSM 7 bit, 160 signs or 153 a part" };
    let numbers = format!("worst case: {signs} signs in {parts} {} ({alphabet})", plural(parts));
    let ordinary = format!("with ordinary values: {sample_signs} signs in {sample} {}", plural(sample));
    let (code, headline) = if parts > usize::try_from(most).unwrap_or(usize::MAX) {
        let headline = format!("this may take {parts} parts, and `{channel}` sends at most {most}");
        (code::TOO_MANY_SEGMENTS, headline)
    } else if parts > sample {
        let headline = format!("this takes {sample} {}, and with long values {parts}", plural(sample));
        (code::MORE_SEGMENTS, headline)
    } else {
        return None;
    };
    Some(
        Diagnostic::new(code, span, headline)
            .label("a long text message")
            .note(numbers)
            .note(ordinary)
            .note("a text counts 20 signs, or n where it is a `Text(n)`, an amount 15, a number 10, a tracked link 36")
            .help("shorten the copy, or print less of what the customer's data decides"),
    )
}

fn plural(parts: usize) -> &'static str {
    if parts == 1 { "part" } else { "parts" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_counted_as_carriers_do() {
        let parts = |text: &str| Extent::of_text(text).worst().1;
        assert_eq!(parts(&"a".repeat(160)), 1);
        assert_eq!(parts(&"a".repeat(161)), 2);
        assert_eq!(parts(&"a".repeat(307)), 3);
        assert_eq!(parts(&"汉".repeat(70)), 1);
        assert_eq!(parts(&"汉".repeat(71)), 2);
        assert_eq!(parts(&"汉".repeat(135)), 3);
        // Signs of the extension table take two places, signs beyond the basic plane two units.
        assert_eq!(parts(&"€".repeat(81)), 2);
        assert_eq!(parts(&"😀".repeat(36)), 2);
        // One sign beside the alphabet changes all of them.
        assert_eq!(parts(&format!("{}汉", "a".repeat(100))), 2);
    }

    #[test]
    fn a_hole_counts_its_longest_value() {
        let said = Extent::of_text("ab").and(Extent::of_signs(LINK, LINK, false));
        assert_eq!(said.worst(), (38, 1));
        let long = Extent::of_text(&"汉".repeat(60)).and(Extent::of_signs(TEXT, TEXT_SAMPLE, true));
        assert_eq!((long.worst(), long.sample()), ((80, 2), (63, 1)));
    }
}
