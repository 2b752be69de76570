//! The writer: answers, and requests for the side that calls.
//!
//! What is written always reads back as the same text. Values are made legal when they enter an
//! [`Answer`], not when it is rendered, so that a signature covers the text that leaves. An empty
//! value is left out, as V2 does; only a claim has all its elements, filled or not.

use std::fmt::{self, Write as _};

use super::{Fields, ROOT, is_xml_char};
use crate::names;

/// A flat answer under construction; fields appear in the order in which they were first pushed.
///
/// `Debug` shows names only, since values hold openids and texts.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Answer {
    items: Vec<(&'static str, Item)>,
}

#[derive(Clone, PartialEq, Eq)]
enum Item {
    Text(String),
    Number(i64),
}

/// One claim of a packet, written as `hblist/hbinfo`.
#[derive(Clone, PartialEq, Eq)]
pub struct ClaimLine {
    /// Claimer's openid; empty when there is none.
    pub openid: String,
    /// Claimed amount in fen.
    pub amount_fen: i64,
    /// Time of the claim, `YYYY-MM-DD HH:MM:SS`, Beijing.
    pub rcv_time: String,
}

/// `status` of a claim, the only one there is: the document's sample has it.
const CLAIM_STATUS: &str = "RECEIVED";

/// An answer that ends in the list of claims. It is nested and therefore never signed.
#[derive(Clone, PartialEq, Eq)]
pub struct QueryAnswer {
    answer: Answer,
    claims: Vec<ClaimLine>,
}

impl Answer {
    /// An answer without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a text field. Characters that XML forbids become U+FFFD; an empty text is left out.
    /// A name that is already there keeps its place and gets the new value.
    pub fn push_text(&mut self, name: &'static str, value: &str) -> &mut Self {
        self.push(name, Item::Text(legal(value)))
    }

    /// Sets a number field, written as plain decimals.
    pub fn push_number(&mut self, name: &'static str, value: i64) -> &mut Self {
        self.push(name, Item::Number(value))
    }

    /// Adds the list of claims, in the given order. A signature is dropped: clients cannot check
    /// one over nested elements. Without claims no `hblist` is written.
    #[must_use]
    pub fn with_claims(mut self, claims: Vec<ClaimLine>) -> QueryAnswer {
        self.remove_sign();
        QueryAnswer { answer: self, claims }
    }

    /// The whole answer as XML text, without declaration.
    pub fn render(&self) -> String {
        let mut out = String::from("<xml>\n");
        self.render_items(&mut out);
        out.push_str("</xml>");
        out
    }

    /// The fields as a client will read them back.
    pub(crate) fn to_fields(&self) -> Fields {
        let mut fields = Fields::default();
        for (name, item) in &self.items {
            let text = match item {
                Item::Text(text) => text.clone(),
                Item::Number(number) => number.to_string(),
            };
            fields.values.insert((*name).to_owned(), text);
        }
        fields
    }

    /// Removes a signature, if there is one.
    pub(crate) fn remove_sign(&mut self) {
        self.items.retain(|(name, _)| *name != names::SIGN);
    }

    /// Removes white space (and U+FEFF, which some clients count as such) at the ends of all
    /// texts, because clients trim a value before they check its signature.
    pub(crate) fn trim_texts(&mut self) {
        for (_, item) in &mut self.items {
            if let Item::Text(text) = item {
                let space = |character: char| character.is_whitespace() || character == '\u{feff}';
                *text = text.trim_matches(space).to_owned();
            }
        }
    }

    fn push(&mut self, name: &'static str, item: Item) -> &mut Self {
        match self.items.iter_mut().find(|(present, _)| *present == name) {
            Some((_, present)) => *present = item,
            None => self.items.push((name, item)),
        }
        self
    }

    fn render_items(&self, out: &mut String) {
        for (name, item) in &self.items {
            match item {
                Item::Text(text) => write_text(out, name, text),
                Item::Number(number) => write_number(out, name, *number),
            }
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.items.iter().map(|(name, _)| name)).finish()
    }
}

impl QueryAnswer {
    /// The whole answer as XML text, without declaration.
    pub fn render(&self) -> String {
        let mut out = String::from("<xml>\n");
        self.answer.render_items(&mut out);
        if !self.claims.is_empty() {
            out.push_str("<hblist>\n");
            for claim in &self.claims {
                out.push_str("<hbinfo>\n");
                // Clients read both without asking whether they are there.
                write_cdata(&mut out, names::OPENID, &legal(&claim.openid));
                write_cdata(&mut out, names::STATUS, CLAIM_STATUS);
                write_number(&mut out, names::AMOUNT, claim.amount_fen);
                write_text(&mut out, names::RCV_TIME, &legal(&claim.rcv_time));
                out.push_str("</hbinfo>\n");
            }
            out.push_str("</hblist>\n");
        }
        out.push_str("</xml>");
        out
    }
}

/// Writes fields as a request body, every value as text, empty ones left out.
///
/// Characters that XML forbids become U+FFFD; [`read`](super::read) never returns any.
pub fn write_fields(fields: &Fields) -> String {
    let mut out = format!("<{ROOT}>\n");
    for (name, value) in fields.iter() {
        write_text(&mut out, name, &legal(value));
    }
    out.push_str("</xml>");
    out
}

/// The text with every character that XML forbids replaced by U+FFFD.
fn legal(text: &str) -> String {
    let replace = |character| {
        if is_xml_char(character) { character } else { '\u{fffd}' }
    };
    text.chars().map(replace).collect()
}

/// One element with the text in CDATA, or nothing for an empty text.
fn write_text(out: &mut String, name: &str, text: &str) {
    if !text.is_empty() {
        write_cdata(out, name, text);
    }
}

/// One element with the text in CDATA, empty or not. `]]>` is split over two sections, and a carriage return
/// stands between sections as a reference, since a reader may fold it into a line feed in CDATA.
fn write_cdata(out: &mut String, name: &str, text: &str) {
    let inner = text.replace("]]>", "]]]]><![CDATA[>").replace('\r', "]]>&#13;<![CDATA[");
    // Writing to a String cannot fail.
    writeln!(out, "<{name}><![CDATA[{inner}]]></{name}>").unwrap_or_default();
}

fn write_number(out: &mut String, name: &str, number: i64) {
    // Writing to a String cannot fail.
    writeln!(out, "<{name}>{number}</{name}>").unwrap_or_default();
}
