//! Objects of every other kind, from the templates of `kinds.sql`: each attribute is a choice, and a change is another one.

use std::sync::OnceLock;

use super::dice::Dice;
use super::model::{Schema, Server};

/// An object that a template makes, with what belongs to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Other {
    /// The number of its template.
    template: usize,
    /// What tells it from others of the same template.
    number: usize,
    /// What is chosen, by the number of the choice.
    choices: Vec<u8>,
}

/// How many objects of one template there may be.
pub const NUMBERS: usize = 3;

/// What the names of objects begin with that are in no schema, or are schemas, in the templates.
pub const WIDE: [&str; 8] = ["other", "operators", "publication", "subscription", "wrapper", "server", "talk", "heap"];

/// The templates of what changes or shows more of a database than itself, besides those that say `once`.
const REACHING_OUT: [&str; 2] = ["publication", "event_trigger"];

struct Template {
    name: String,
    majors: (u32, u32),
    superuser: bool,
    once: bool,
    body: Vec<Node>,
    choices: usize,
    rows: String,
}

/// A part of a template.
enum Node {
    Text(String),
    /// A choice by its number, with the alternatives and the versions that know them.
    Choice(usize, Vec<((u32, u32), Vec<Node>)>),
}

fn templates() -> &'static [Template] {
    static TEMPLATES: OnceLock<Vec<Template>> = OnceLock::new();
    TEMPLATES.get_or_init(|| {
        let text = include_str!("kinds.sql");
        text.split("\n== ").skip(1).map(Template::parse).collect()
    })
}

const EVERY: (u32, u32) = (0, u32::MAX);

/// The versions that `15+` or `<17` stands for.
fn limits(text: &str) -> Option<(u32, u32)> {
    if let Some(first) = text.strip_suffix('+') {
        return Some((first.parse().ok()?, u32::MAX));
    }
    Some((0, text.strip_prefix('<')?.parse::<u32>().ok()? - 1))
}

impl Template {
    fn parse(text: &str) -> Self {
        let (head, text) = text.split_once('\n').expect("a template has a body");
        let (body, rows) = text.split_once("\n--rows\n").unwrap_or((text, ""));
        let mut words = head.split(' ');
        let name = words.next().unwrap_or_default().to_owned();
        let (mut choices, mut rest) = (0, body);
        let body = nodes(&mut rest, &mut choices);
        assert!(rest.is_empty(), "a choice ends that has not begun: {rest}");
        Self {
            name,
            majors: words.clone().find_map(limits).unwrap_or(EVERY),
            superuser: words.clone().any(|word| word == "superuser"),
            once: words.any(|word| word == "once"),
            body,
            choices,
            rows: rows.to_owned(),
        }
    }

    fn is_known(&self, server: Server) -> bool {
        (self.majors.0..=self.majors.1).contains(&server.major) && (server.superuser || !self.superuser)
    }
}

/// The parts up to the end of the alternative, or of the text.
fn nodes(rest: &mut &str, choices: &mut usize) -> Vec<Node> {
    let mut nodes = Vec::new();
    loop {
        let end = rest.find(['⟨', '¦', '⟩']).unwrap_or(rest.len());
        nodes.push(Node::Text(rest[..end].to_owned()));
        *rest = &rest[end..];
        let Some(inner) = rest.strip_prefix('⟨') else { return nodes };
        *rest = inner;
        let number = *choices;
        *choices += 1;
        let mut alternatives = Vec::new();
        loop {
            let majors = rest.split_once(':').and_then(|(majors, after)| Some((limits(majors)?, after)));
            *rest = majors.map_or(*rest, |(_, after)| after);
            alternatives.push((majors.map_or(EVERY, |(majors, _)| majors), self::nodes(rest, choices)));
            let mut chars = rest.chars();
            let ends = chars.next() == Some('⟩');
            *rest = chars.as_str();
            if ends {
                break;
            }
        }
        nodes.push(Node::Choice(number, alternatives));
    }
}

impl Other {
    fn template(&self) -> &'static Template {
        &templates()[self.template]
    }

    /// Which kind it is of.
    pub fn name(&self) -> String {
        self.template().name.clone()
    }

    /// Whether it changes or shows more of a database than itself.
    pub fn reaches_out(&self) -> bool {
        self.template().once || REACHING_OUT.contains(&self.template().name.as_str())
    }

    /// Whether only superusers may have it.
    pub fn needs_superuser(&self) -> bool {
        self.template().superuser
    }

    /// The statements that make it on a version.
    pub fn sql(&self, major: u32) -> String {
        let mut out = String::new();
        self.write(&self.template().body, major, &mut out);
        let lines = out.lines().map(str::trim_end).filter(|line| !line.trim_matches([' ', ';']).is_empty());
        self.numbered(&lines.collect::<Vec<_>>().join("\n")).trim_end_matches(';').to_owned()
    }

    /// The statements that put rows into its tables.
    pub fn rows(&self) -> String {
        self.numbered(&self.template().rows)
    }

    fn numbered(&self, text: &str) -> String {
        text.replace("$N", &self.number.to_string())
    }

    fn write(&self, nodes: &[Node], major: u32, out: &mut String) {
        for node in nodes {
            match node {
                Node::Text(text) => out.push_str(text),
                Node::Choice(number, alternatives) => {
                    let known: Vec<_> =
                        alternatives.iter().filter(|((first, last), _)| (*first..=*last).contains(&major)).collect();
                    let chosen = usize::from(self.choices[*number]) % known.len().max(1);
                    if let Some((_, nodes)) = known.get(chosen) {
                        self.write(nodes, major, out);
                    }
                }
            }
        }
    }
}

/// Adds an object of a kind that the server knows.
pub fn add(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let template = dice.below(templates().len());
    let known = &templates()[template];
    let number = if known.once { 0 } else { dice.below(NUMBERS) };
    let there = schema.others.iter().any(|other| other.template == template && other.number == number);
    if there || !known.is_known(schema.server) {
        return None;
    }
    let choices = (0..known.choices).map(|_| dice.form()).collect();
    schema.others.push(Other { template, number, choices });
    Some(())
}

/// Chooses anew for one attribute of one object.
pub fn change(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let at = dice.place(schema.others.len())?;
    let choices = &mut schema.others[at].choices;
    let choice = dice.place(choices.len())?;
    choices[choice] = dice.form();
    Some(())
}

/// An object of each template that the server knows, with choices of the dice.
pub fn each(server: Server, dice: &mut Dice) -> impl Iterator<Item = Other> {
    let known = templates().iter().enumerate().filter(move |(_, template)| template.is_known(server));
    known.map(|(at, it)| Other { template: at, number: 0, choices: (0..it.choices).map(|_| dice.form()).collect() })
}

/// For each attribute of each kind that the server knows, an object and the same with another value of that attribute.
pub fn changes(server: Server, dice: &mut Dice) -> Vec<(Other, Other)> {
    let mut changes = Vec::new();
    for (template, known) in templates().iter().enumerate().filter(|(_, known)| known.is_known(server)) {
        for choice in 0..known.choices {
            // What is nested in an alternative that is not chosen changes nothing: another one may choose it.
            let change = (0..20).find_map(|_| {
                let choices = (0..known.choices).map(|_| dice.form()).collect();
                let before = Other { template, number: 0, choices };
                let mut after = before.clone();
                after.choices[choice] = dice.form();
                (before.sql(server.major) != after.sql(server.major)).then_some((before, after))
            });
            changes.extend(change);
        }
    }
    changes
}
