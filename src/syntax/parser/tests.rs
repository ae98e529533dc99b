use super::*;
use crate::syntax::ast::{BinaryOp, ContentItem, CopyPiece, DeclKind, ExprKind, StepKind};

/// An expression with every operation in brackets.
fn shape(text: &str) -> String {
    let (expr, findings) = parse_expr(FileId(0), text);
    assert!(findings.is_empty(), "{text}: {findings:?}");
    drawn(&expr)
}

fn drawn(expr: &ast::Expr) -> String {
    match &expr.kind {
        ExprKind::Binary { op, left, right, .. } => {
            format!("({} {} {})", drawn(left), sign(*op), drawn(right))
        }
        ExprKind::Not(value) => format!("(not {})", drawn(value)),
        ExprKind::Neg(value) => format!("(- {})", drawn(value)),
        ExprKind::Known { value, known } => format!("({} known={known})", drawn(value)),
        ExprKind::Otherwise { value, fallback } => {
            format!("({} otherwise {})", drawn(value), drawn(fallback))
        }
        ExprKind::Path(path) => path.text(),
        ExprKind::Int(value) => value.to_string(),
        ExprKind::Dur(_) => "dur".to_owned(),
        ExprKind::Time(time) => time.to_string(),
        other => format!("{other:?}"),
    }
}

fn sign(op: BinaryOp) -> String {
    format!("{op:?}").to_lowercase()
}

#[test]
fn operators_bind_as_the_grammar_says() {
    assert_eq!(shape("a or b and not c"), "(a or (b and (not c)))");
    assert_eq!(shape("not a is b"), "(not (a is b))");
    assert_eq!(shape("a - b - c * -d"), "((a sub b) sub (c mul (- d)))");
    assert_eq!(shape("a otherwise 0 >= 60"), "((a otherwise 0) greatereq 60)");
    assert_eq!(shape("x in a..b + 1"), "(x in (a range (b add 1)))");
    assert_eq!(shape("5 workdays before maturity at 10:00"), "((dur before maturity) at 10:00:00)");
    assert_eq!(shape("a is not missing and b is known"), "((a known=true) and (b known=true))");
    assert_eq!(shape("a is not b"), "(a isnot b)");
    assert_eq!(shape("(a or b) and c"), "((a or b) and c)");
}

#[test]
fn a_span_covers_what_was_read_brackets_included() {
    let text = "  (a or b) and count(x) > 5 CNY ";
    let (expr, _) = parse_expr(FileId(0), text);
    assert_eq!(&text[expr.span.range()], "(a or b) and count(x) > 5 CNY");
    let ExprKind::Binary { right, op_span, .. } = &expr.kind else { panic!("{expr:?}") };
    assert_eq!(&text[op_span.range()], "and");
    assert_eq!(&text[right.span.range()], "count(x) > 5 CNY");
}

#[test]
fn words_of_the_language_are_free_as_names_where_they_head_nothing() {
    assert_eq!(shape("product.risk >= loan.limit"), "(product.risk greatereq loan.limit)");
    assert_eq!(shape("event.source is send"), "(event.source is send)");
    assert_eq!(shape("`from` is `to`"), "(from is to)");
}

/// The texts and holes of the copy `written`, the holes as they stand in the file.
fn pieces(written: &str) -> Vec<String> {
    let text = format!("content c {{ via sms {written} }}");
    let parsed = parse(FileId(0), &text);
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    let DeclKind::Content(items) = &parsed.file.decls[0].kind else { panic!() };
    let ContentItem::Via(variant) = &items[0] else { panic!() };
    let draw = |piece: &CopyPiece| match piece {
        CopyPiece::Text(text) => text.to_string(),
        CopyPiece::Hole(expr) => format!("<{}>", &text[expr.span.range()]),
    };
    variant.parts[0].copy.pieces.iter().map(draw).collect()
}

#[test]
fn copy_loses_its_indentation_and_keeps_its_shape() {
    assert_eq!(pieces("\"\"\"一行\"\"\""), ["一行"]);
    assert_eq!(pieces("\"\"\"\n    a\n      b\n\n    c\n    \"\"\""), ["a\n  b\n\nc"]);
    assert_eq!(pieces("\"\"\"\r\n    a\r\n  b\r\n\"\"\""), ["    a\n  b"]);
    assert_eq!(pieces("\"\"\"  \n\ta\n\tb\"\"\""), ["a\nb"]);
    assert_eq!(pieces("\"\"\"\"\"\""), Vec::<String>::new());
}

#[test]
fn holes_know_their_place_in_the_file() {
    assert_eq!(
        pieces("\"\"\"\n  {{ name otherwise \"您\" }}，额度 {{ money(x) }}。\n  \"\"\""),
        ["<name otherwise \"您\">", "，额度 ", "<money(x)>", "。"]
    );
    assert_eq!(pieces(r#""""a \{{ b }} {{c}}""""#), ["a {{ b }} ", "<c>"]);
}

#[test]
fn doc_comments_belong_to_the_declaration_below() {
    let parsed = parse(FileId(0), "/// a\n// not this\n/// b\ntag x of y\n\ntag z of y");
    let docs: Vec<Option<&str>> = parsed.file.decls.iter().map(|decl| decl.doc.as_deref()).collect();
    assert_eq!(docs, [Some("a\nb"), None]);
}

#[test]
fn a_misspelt_line_is_read_as_meant_and_the_rest_is_checked() {
    let parsed = parse(FileId(0), "jorney a of b {\n  snd x via push\n  send via sms\n}");
    let codes: Vec<&str> = parsed.diagnostics.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["E0113", "E0113", "E0101"]);
    let DeclKind::Journey(journey) = &parsed.file.decls[0].kind else { panic!() };
    assert!(matches!(journey.steps[0].kind, StepKind::Send(_)));
    assert_eq!(journey.steps[1].kind, StepKind::Error);
}

#[test]
fn one_finding_names_all_full_width_signs_of_a_line_and_mends_them() {
    let text = "tag a “标签” of customer ｛ keep 2 days ｝";
    let parsed = parse(FileId(0), text);
    let fix = parsed.diagnostics[0].fix.clone().unwrap();
    let mut mended = text.to_owned();
    for edit in fix.edits.iter().rev() {
        mended.replace_range(edit.span.range(), &edit.text);
    }
    assert_eq!(parsed.diagnostics.len(), 1);
    assert_eq!(mended, "tag a \"标签\" of customer { keep 2 days }");
    let again = parse(FileId(0), &mended);
    assert!(again.diagnostics.is_empty());
    assert_eq!(format!("{:?}", again.file.decls[0].label.as_ref().map(|text| &text.value)), "Some(\"标签\")");
}

#[test]
fn fixes_of_foreign_signs_give_a_correct_text() {
    let mut text = "audience a of b = x==1&&!y||z!=2".to_owned();
    loop {
        let parsed = parse(FileId(0), &text);
        let Some(fix) = parsed.diagnostics.into_iter().find_map(|finding| finding.fix) else { break };
        text.replace_range(fix.edits[0].span.range(), &fix.edits[0].text);
    }
    assert_eq!(text, "audience a of b = x is 1 and not y or z is not 2");
}

/// Where a few words may stand and one of them is misspelt, it is the one that is offered.
#[test]
fn a_misspelt_word_among_few_is_offered_wherever_they_stand() {
    let journey = |item: &str| format!("journey a of b {{\n  {item}\n}}");
    let policy = |item: &str| format!("policy a {{\n  {item}\n}}");
    let slips = [
        (policy("lane checks { one, two; loser wiat 3 days }"), "wait"),
        (policy("lane checks { one, two; loser skpi }"), "skip"),
        (policy("cap sms 1 per customer per day { over defre 1 day }"), "defer"),
        (policy("cap sms 1 per customer per day { over next_chanel }"), "next_channel"),
        (policy("quiet 21:00..08:00 { deffer 2 days }"), "defer"),
        (policy("quiet 21:00..08:00 { releas 5 per minute }"), "release"),
        (journey("enter wehn x"), "when"),
        (journey("enter by strat"), "start"),
        (journey("existing inclde"), "include"),
        (journey("reenter nevre"), "never"),
        (journey("reenter aftre 3 days"), "after"),
        (journey("reenter restrat"), "restart"),
        (journey("exit wehn x"), "when"),
        (journey("migrate \"v\" { retime a recompte }"), "recompute"),
        (journey("wait untill 20:00"), "until"),
        (journey("wait wihtin 3 days { on timeout continue }"), "within"),
        (journey("repeat n in 1..4 every monday at 10:00 missed skpi { continue }"), "skip"),
        (journey("match x { csae 1 continue }"), "case"),
        (journey("reach x { vai push for opened within 1 day } else continue"), "via"),
        ("extend a { anchor b every year on c roll bakc }".to_owned(), "back"),
        ("extend a { anchor b every year on c roll forwrad }".to_owned(), "forward"),
    ];
    for (text, meant) in slips {
        let parsed = parse(FileId(0), &text);
        let told: Vec<String> =
            parsed.diagnostics.iter().map(|it| format!("{} {:?}", it.headline, it.help)).collect();
        assert_eq!(told.len(), 1, "{text}: {told:#?}");
        assert!(told[0].contains(&format!("did you mean `{meant}`?")), "{text}: {told:#?}");
    }
}
