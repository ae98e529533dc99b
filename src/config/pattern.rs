//! Templates as they are registered with a provider: fixed words and variables.
//!
//! Chinese SMS and `WeChat` send nothing but registered templates, named by a code and filled with values. What the
//! customer reads is decided in the journey's copy, so the values are taken out of it: where the rendered copy does not
//! fit the registered words, the message is refused. Whatever the split, putting the values back gives the copy again.

/// Fixed words, each but the last followed by a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Words and the variable after them.
    pieces: Vec<(String, String)>,
    end: String,
}

/// How a provider writes variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Braces {
    /// `${name}`
    Dollar,
    /// `{1}`
    Number,
    /// `{{thing1.DATA}}`
    Data,
}

impl Braces {
    fn marks(self) -> (&'static str, &'static str) {
        match self {
            Self::Dollar => ("${", "}"),
            Self::Number => ("{", "}"),
            Self::Data => ("{{", ".DATA}}"),
        }
    }
}

impl Pattern {
    /// # Errors
    /// A reason for people.
    pub fn parse(text: &str, braces: Braces) -> Result<Self, String> {
        let (open, close) = braces.marks();
        let (mut pieces, mut rest) = (Vec::<(String, String)>::new(), text);
        while let Some((words, after)) = rest.split_once(open) {
            let (name, after) = after
                .split_once(close)
                .ok_or_else(|| format!("a variable `{open}` is not closed by `{close}`"))?;
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                return Err(format!("`{name}` is not the name of a variable"));
            }
            if pieces.iter().any(|(_, other)| other == name) {
                return Err(format!("the variable `{name}` is there twice"));
            }
            if words.is_empty() && !pieces.is_empty() {
                return Err(format!("there must be words between the variable before `{name}` and `{name}`"));
            }
            pieces.push((words.to_owned(), name.to_owned()));
            rest = after;
        }
        Ok(Self { pieces, end: rest.to_owned() })
    }

    /// The values that make the pattern say `text`, in order; `None` where none do.
    #[must_use]
    pub fn values<'a>(&'a self, text: &'a str) -> Option<Vec<(&'a str, &'a str)>> {
        let mut values = Vec::new();
        let mut pieces = self.pieces.iter().peekable();
        let Some((first, _)) = pieces.peek() else { return (text == self.end).then_some(values) };
        let mut rest = text.strip_prefix(first.as_str())?;
        while let Some((_, name)) = pieces.next() {
            let (value, after) = match pieces.peek() {
                Some((next, _)) => rest.split_once(next.as_str())?,
                None => (rest.strip_suffix(self.end.as_str())?, ""),
            };
            values.push((name.as_str(), value));
            rest = after;
        }
        Some(values)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_values_are_those_of_the_copy() {
        let pattern = Pattern::parse("您的${product}将于${date}到期，详询95588。", Braces::Dollar).unwrap();
        let values = pattern.values("您的稳健理财90天将于12月1日到期，详询95588。").unwrap();
        assert_eq!(values, [("product", "稳健理财90天"), ("date", "12月1日")]);
        assert_eq!(pattern.values("您的稳健理财90天到期，详询95588。"), None);
        assert_eq!(pattern.values("您的稳健理财90天将于12月1日到期"), None);
        let data = Pattern::parse("产品：{{thing1.DATA}}\n日期：{{time2.DATA}}", Braces::Data).unwrap();
        assert_eq!(data.values("产品：理财\n日期：明天").unwrap(), [("thing1", "理财"), ("time2", "明天")]);
        assert_eq!(Pattern::parse("固定", Braces::Number).unwrap().values("固定"), Some(vec![]));
        for bad in ["${a}${b}", "${a} ${a}", "${a", "${}", "${中}"] {
            assert!(Pattern::parse(bad, Braces::Dollar).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn put_back_they_give_the_copy_again(one in "[a-c，]{0,6}", two in "[a-c，]{0,6}", rest in "[a-c，]{0,3}") {
            let pattern = Pattern::parse(&format!("x{{1}}，{{2}}{rest}"), Braces::Number).unwrap();
            let text = format!("x{one}，{two}{rest}");
            let values = pattern.values(&text).unwrap();
            let [(_, one), (_, two)] = values.as_slice() else { panic!("{values:?}") };
            prop_assert_eq!(format!("x{one}，{two}{rest}"), text);
        }
    }
}
