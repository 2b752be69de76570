//! Flat XML: the strict reader, the writer and the fields between them.
//!
//! The grammar is the whole of what is accepted:
//!
//! ```text
//! body    := declaration? space '<xml' space '>' (space element)* space '</xml' space '>' space
//!          | declaration? space '<xml' space '/>' space
//! element := '<' name space '>' piece* '</' name space '>' | '<' name space '/>'
//! piece   := text | '<![CDATA[' … ']]>' | '&amp;' '&lt;' '&gt;' '&quot;' '&apos;' | '&#…;' | '&#x…;'
//! ```
//!
//! Line ends are **not** folded: a value is the bytes between its tags, decoded once, because that
//! is the text the client signed.

mod read;
mod write;

#[cfg(test)]
mod read_tests;
#[cfg(test)]
mod write_tests;

use std::{collections::BTreeMap, fmt};

pub use read::read;
pub use write::{Answer, ClaimLine, QueryAnswer, write_fields};

/// Largest accepted body in bytes.
///
/// All texts of a send together are under 1,600 characters; written as the longest character
/// references (10 bytes each) they need under 16 KiB with their tags. Four times that.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// Largest accepted number of elements below the root. A send knows 32 names, retired ones
/// included; twice that leaves room for names of the future.
pub const ELEMENTS_MAX: usize = 64;

/// Longest accepted element name in bytes. The longest known name has 16; four times that.
pub const NAME_BYTES_MAX: usize = 64;

/// Name of the root element; no field may have it.
const ROOT: &str = "xml";

/// The fields of one message: distinct names with their decoded values, sorted by name bytes.
///
/// `Debug` shows names only, since values hold openids, texts and signatures.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Fields {
    values: BTreeMap<String, String>,
}

impl Fields {
    /// Fields from pairs, for the side that builds a request.
    ///
    /// # Errors
    ///
    /// [`XmlError`] at offset 0 for an illegal or repeated name, or too many pairs.
    pub fn try_from_pairs<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, XmlError> {
        let mut fields = Self::default();
        for (name, value) in pairs {
            if !is_name(name) || name == ROOT {
                return Err(XmlError { kind: XmlErrorKind::Name, offset: 0 });
            }
            fields.insert_new(name, value.to_owned(), 0)?;
        }
        Ok(fields)
    }

    /// The value of this name, which may be empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The value of this name unless it is absent or empty. The two are the same thing everywhere:
    /// neither is signed, so neither may mean anything.
    pub fn non_empty(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// All names with their values, sorted by the bytes of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Number of fields, empty ones included.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is no field at all.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Adds a field; `offset` is only for the error.
    fn insert_new(&mut self, name: &str, value: String, offset: usize) -> Result<(), XmlError> {
        if self.values.contains_key(name) {
            return Err(XmlError { kind: XmlErrorKind::Duplicate, offset });
        }
        if self.values.len() >= ELEMENTS_MAX {
            return Err(XmlError { kind: XmlErrorKind::TooManyElements, offset });
        }
        self.values.insert(name.to_owned(), value);
        Ok(())
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.values.keys()).finish()
    }
}

/// Why a body was refused, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} (at byte {offset})")]
pub struct XmlError {
    /// What is wrong.
    pub kind: XmlErrorKind,
    /// Byte offset in the body at which it was noticed.
    pub offset: usize,
}

/// What is wrong with a body. The texts never repeat the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlErrorKind {
    /// Nothing but white space.
    #[error("the body is empty")]
    Empty,
    /// More than [`BODY_BYTES_MAX`] bytes.
    #[error("the body is larger than {BODY_BYTES_MAX} bytes")]
    TooLarge,
    /// A byte order mark at the start.
    #[error("the body starts with a byte order mark; send UTF-8 without one")]
    ByteOrderMark,
    /// Invalid UTF-8, whatever the declaration says.
    #[error("the body is not valid UTF-8")]
    NotUtf8,
    /// A character that XML 1.0 forbids, such as NUL.
    #[error("a character that XML does not allow")]
    IllegalCharacter,
    /// The declaration is malformed or its version is not 1.0.
    #[error("the XML declaration is wrong")]
    Declaration,
    /// The declaration names an encoding other than UTF-8.
    #[error("the only accepted encoding is UTF-8")]
    Encoding,
    /// A DOCTYPE or another declaration of a document type.
    #[error("a document type is not allowed")]
    Doctype,
    /// A comment anywhere.
    #[error("a comment is not allowed")]
    Comment,
    /// A processing instruction, or a declaration that is not at the start.
    #[error("a processing instruction is not allowed")]
    ProcessingInstruction,
    /// The root is missing or is not `<xml>`.
    #[error("the root element must be <xml>")]
    Root,
    /// An element name is malformed or reserved.
    #[error("an element name is wrong")]
    Name,
    /// An element name has more than [`NAME_BYTES_MAX`] bytes.
    #[error("an element name is longer than {NAME_BYTES_MAX} bytes")]
    NameTooLong,
    /// A colon in an element name.
    #[error("namespaces are not allowed")]
    Namespace,
    /// Anything but white space between an element's name and its `>`.
    #[error("attributes are not allowed")]
    Attribute,
    /// An element inside a field.
    #[error("nested elements are not allowed")]
    Nested,
    /// Text or CDATA between the fields.
    #[error("text between the elements is not allowed")]
    StrayText,
    /// `]]>` in bare text.
    #[error("the text ]]> must be escaped")]
    CdataEnd,
    /// An entity other than the five predefined ones.
    #[error("an unknown entity")]
    Entity,
    /// A character reference that is malformed or names no legal character.
    #[error("a wrong character reference")]
    CharacterReference,
    /// An end tag that does not match.
    #[error("an end tag does not match its start tag")]
    EndTag,
    /// The body ends too early.
    #[error("the body ends inside an element")]
    Unclosed,
    /// The same name twice.
    #[error("an element occurs twice")]
    Duplicate,
    /// More than [`ELEMENTS_MAX`] elements.
    #[error("more than {ELEMENTS_MAX} elements")]
    TooManyElements,
    /// Anything but white space after the root.
    #[error("nothing may follow the root element")]
    Trailing,
}

/// Whether XML 1.0 allows this character in a document.
pub(crate) fn is_xml_char(character: char) -> bool {
    matches!(character,
        '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Whether the reader could accept this as a field's name.
pub(crate) fn is_name(name: &str) -> bool {
    name.len() <= NAME_BYTES_MAX
        && name.starts_with(is_name_start)
        && name.chars().all(is_name_char)
}

/// XML 1.0 `NameStartChar` without the colon.
fn is_name_start(character: char) -> bool {
    matches!(character,
        'A'..='Z' | '_' | 'a'..='z'
        | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}'
        | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}'
        | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}

/// XML 1.0 `NameChar` without the colon.
fn is_name_char(character: char) -> bool {
    is_name_start(character)
        || matches!(character,
            '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}
