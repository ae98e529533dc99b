use super::*;

/// The phrases of `list` that `text` says.
fn said(text: &str, list: List) -> Vec<&'static str> {
    let found = hits(&folded(text));
    found
        .into_iter()
        .filter(|hit| hit.list == list && hit.verdict == Verdict::Said)
        .map(|hit| hit.entry)
        .collect()
}

/// The short way round the normal form is right for every sign it knows.
#[test]
fn usual_signs_become_what_their_normal_form_is() {
    let signs = ('\0'..=char::MAX).filter_map(|sign| Some((sign, narrowed(sign)?)));
    let wrong: Vec<(char, char)> = signs.filter(|(sign, narrow)| !sign.nfkc().eq([*narrow])).collect();
    assert_eq!(wrong, []);
    let both = |text: &str| (folded(text), together(text.nfkc(), text.len()));
    for text in ["【示例银行】您有５０元，ＡＢＣ　详见　App。", "保 本 ﹪ ① ｶﾞ é é", ""]
    {
        let (short, long) = both(text);
        assert_eq!(short, long, "{text}");
    }
}

#[test]
fn what_is_said_is_found() {
    let cases = [
        ("稳健理财，保本保息", &["保本保息"][..]),
        ("门槛不高，稳赚不赔", &["稳赚不赔"]),
        ("不仅保本，还有惊喜", &["保本"]),
        ("非常稳赚", &["稳赚"]),
        ("保 本 型 产 品", &["保本"]),
        ("０风险，放心买", &["0风险"]),
        ("A risk-free way to save", &["risk-free"]),
        ("This is not just a product: it is risk-free", &["risk-free"]),
        ("Guaranteed Returns of 5%", &["guaranteed returns"]),
    ];
    for (text, wanted) in cases {
        assert_eq!(said(text, List::Promise), wanted, "{text}");
    }
}

#[test]
fn what_is_denied_is_not() {
    let silent = [
        "本产品不承诺保本、不保证收益",
        "非保本浮动收益",
        "不保本，不保息",
        "工具不保证收益",
        "不构成保本承诺，也不代表保收益",
        "警惕“稳赚不赔”的骗局",
        "凡承诺保本高收益的都是诈骗",
        "谨防以保本保息为诱饵的非法集资",
        "保证金比例调整通知",
        "This product is not risk-free",
        "There are no guaranteed returns",
        "Investments do not provide any guaranteed income",
        "frisk-freed",
    ];
    for text in silent {
        assert!(said(text, List::Promise).is_empty(), "{text}: {:?}", hits(&folded(text)));
    }
}

#[test]
fn ordinary_words_are_no_superlatives() {
    for text in ["最近一次登录", "最后还款日为 5 日", "第一时间通知您", "唯一识别码", "第一季度账单"]
    {
        assert!(said(text, List::Boast).is_empty() && said(text, List::Superlative).is_empty(), "{text}");
    }
    assert_eq!(said("同类产品第一", List::Boast), ["第一"]);
}

#[test]
fn a_hole_is_no_word() {
    assert!(said(&format!("风险等级：R2（{HOLE}风险）"), List::Lure).is_empty());
    assert_eq!(said("本产品低风险", List::Lure), ["低风险"]);
    assert!(said("风险等级为中低风险", List::Lure).is_empty());
}
