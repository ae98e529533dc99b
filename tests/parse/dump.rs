//! A compact picture of a tree: its `Debug` text without spans and without what is absent.

use std::iter::Peekable;
use std::str::Chars;

/// A value of a `Debug` text.
enum Node {
    Atom(String),
    Struct(String, Vec<(String, Node)>),
    /// Lists have no name.
    Tuple(String, Vec<Node>),
}

pub(crate) fn dump(value: &impl std::fmt::Debug) -> String {
    let text = format!("{value:?}");
    let node = simplify(read(&mut text.chars().peekable()));
    let mut out = String::new();
    draw(&node, 0, &mut out);
    out
}

fn read(text: &mut Peekable<Chars<'_>>) -> Node {
    if text.peek() == Some(&'"') {
        return Node::Atom(quoted(text));
    }
    let name = word(text, " ,()[]{}");
    match text.peek() {
        Some('(' | '[') => {
            text.next();
            Node::Tuple(name, sequence(text, read))
        }
        Some(' ') => {
            text.next_if(|_| true);
            if text.next_if_eq(&'{').is_none() {
                return Node::Atom(name);
            }
            Node::Struct(name, sequence(text, field))
        }
        _ => Node::Atom(name),
    }
}

fn field(text: &mut Peekable<Chars<'_>>) -> (String, Node) {
    let name = word(text, ":");
    text.next();
    skip_blanks(text);
    (name, read(text))
}

/// The elements up to the closing bracket.
fn sequence<T>(text: &mut Peekable<Chars<'_>>, mut one: impl FnMut(&mut Peekable<Chars<'_>>) -> T) -> Vec<T> {
    let mut all = Vec::new();
    loop {
        skip_blanks(text);
        match text.peek() {
            None => return all,
            Some(')' | ']' | '}') => {
                text.next();
                return all;
            }
            Some(_) => all.push(one(text)),
        }
    }
}

fn skip_blanks(text: &mut Peekable<Chars<'_>>) {
    while text.next_if(|c| matches!(c, ' ' | ',')).is_some() {}
}

fn word(text: &mut Peekable<Chars<'_>>, end: &str) -> String {
    std::iter::from_fn(|| text.next_if(|c| !end.contains(*c))).collect()
}

fn quoted(text: &mut Peekable<Chars<'_>>) -> String {
    let mut out = String::from(text.next().unwrap());
    while let Some(c) = text.next() {
        out.push(c);
        match c {
            '\\' => out.extend(text.next()),
            '"' => break,
            _ => {}
        }
    }
    out
}

fn simplify(node: Node) -> Node {
    match node {
        Node::Atom(_) => node,
        Node::Tuple(name, items) => {
            let mut items: Vec<Node> =
                items.into_iter().map(simplify).filter(|item| !is_span(item)).collect();
            match (name.as_str(), items.len()) {
                ("Some" | "Path", 1) => items.remove(0),
                ("", _) => Node::Tuple(name, items),
                (_, 0) => Node::Atom(name),
                _ => Node::Tuple(name, items),
            }
        }
        Node::Struct(name, fields) => simplify_struct(name, fields),
    }
}

fn simplify_struct(name: String, fields: Vec<(String, Node)>) -> Node {
    if name == "Span" && fields.iter().any(|(field, _)| field == "file") {
        return Node::Atom(String::new());
    }
    let fields = fields.into_iter().map(|(field, value)| (field, simplify(value)));
    let mut fields: Vec<(String, Node)> =
        fields.filter(|(field, value)| field != "word" && !is_absent(value)).collect();
    match (name.as_str(), fields.len()) {
        ("Path", 1) => Node::Atom(joined(fields.remove(0).1)),
        (
            "Ident" | "Text" | "Expr" | "TypeRef" | "Dur" | "Occurrence" | "Step" | "Clause" | "TestItem"
            | "Pattern",
            1,
        ) => fields.remove(0).1,
        (_, 0) => Node::Atom(name),
        _ => Node::Struct(name, fields),
    }
}

fn joined(parts: Node) -> String {
    match parts {
        Node::Tuple(_, parts) => parts.into_iter().map(joined).collect::<Vec<_>>().join("."),
        Node::Atom(text) => text,
        Node::Struct(name, _) => name,
    }
}

fn is_span(node: &Node) -> bool {
    matches!(node, Node::Atom(text) if text.is_empty())
}

fn is_absent(node: &Node) -> bool {
    match node {
        Node::Atom(text) => matches!(text.as_str(), "" | "None" | "false" | "StepId" | "Tail"),
        Node::Tuple(name, items) => name.is_empty() && items.is_empty(),
        Node::Struct(..) => false,
    }
}

fn one_line(node: &Node) -> String {
    match node {
        Node::Atom(text) => text.clone(),
        Node::Tuple(name, items) if name.is_empty() => format!("[{}]", all(items.iter().map(one_line))),
        Node::Tuple(name, items) => format!("{name}({})", all(items.iter().map(one_line))),
        Node::Struct(name, fields) => {
            format!(
                "{name}{{{}}}",
                all(fields.iter().map(|(field, value)| format!("{field}={}", one_line(value))))
            )
        }
    }
}

fn all(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

fn draw(node: &Node, indent: usize, out: &mut String) {
    let line = one_line(node);
    if line.chars().count() + indent <= 110 {
        out.push_str(&line);
        return;
    }
    let mut child = |label: &str, value: &Node| {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', indent + 2));
        out.push_str(label);
        draw(value, indent + 2, out);
    };
    match node {
        Node::Atom(text) => out.push_str(text),
        Node::Tuple(name, items) => {
            child("", &Node::Atom(if name.is_empty() { "list".to_owned() } else { name.clone() }));
            for item in items {
                child("- ", item);
            }
        }
        Node::Struct(name, fields) => {
            child("", &Node::Atom(name.clone()));
            for (field, value) in fields {
                child(&format!(". {field} = "), value);
            }
        }
    }
}
