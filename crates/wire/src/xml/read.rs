//! The strict reader: one pass, no recursion, memory bounded by the body.

use super::{
    BODY_BYTES_MAX, Fields, NAME_BYTES_MAX, ROOT, XmlError, XmlErrorKind, is_name_char,
    is_name_start, is_xml_char,
};

/// White space of XML.
const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

const CDATA_START: &str = "<![CDATA[";
const CDATA_END: &str = "]]>";

/// Longest text between `&` and `;`: `#x10FFFF` has 8 bytes. Leading zeros beyond that are refused.
const REFERENCE_BYTES_MAX: usize = 8;

/// Reads a flat XML body into its fields; the grammar is in the module's head.
///
/// # Errors
///
/// [`XmlError`] with the byte offset for everything outside the grammar, for a name that occurs
/// twice and for a body, a name or a number of elements above its limit.
pub fn read(body: &[u8]) -> Result<Fields, XmlError> {
    let text = decode(body)?;
    let mut cursor = Cursor { text, rest: text };
    if cursor.rest.starts_with("<?xml") {
        declaration(&mut cursor)?;
    }
    cursor.skip_space();
    let fields = root(&mut cursor)?;
    cursor.skip_space();
    if cursor.rest.is_empty() { Ok(fields) } else { Err(cursor.error(XmlErrorKind::Trailing)) }
}

/// The body as text in which every character is legal, or why it is not.
fn decode(body: &[u8]) -> Result<&str, XmlError> {
    let at = |kind, offset| XmlError { kind, offset };
    if body.len() > BODY_BYTES_MAX {
        return Err(at(XmlErrorKind::TooLarge, BODY_BYTES_MAX));
    }
    if body.starts_with(b"\xef\xbb\xbf") {
        return Err(at(XmlErrorKind::ByteOrderMark, 0));
    }
    let text = std::str::from_utf8(body)
        .map_err(|error| at(XmlErrorKind::NotUtf8, error.valid_up_to()))?;
    if let Some((offset, _)) = text.char_indices().find(|(_, character)| !is_xml_char(*character)) {
        return Err(at(XmlErrorKind::IllegalCharacter, offset));
    }
    if text.trim_matches(SPACE).is_empty() {
        return Err(at(XmlErrorKind::Empty, 0));
    }
    Ok(text)
}

/// `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`, in any order, version required.
fn declaration(cursor: &mut Cursor<'_>) -> Result<(), XmlError> {
    let wrong = cursor.error(XmlErrorKind::Declaration);
    cursor.take("<?xml");
    let (mut version, mut encoding, mut standalone) = (None, None, None);
    loop {
        let spaced = cursor.skip_space();
        if cursor.take("?>") {
            break;
        }
        let slot = match cursor.take_while(|character| character.is_ascii_lowercase()) {
            "version" => &mut version,
            "encoding" => &mut encoding,
            "standalone" => &mut standalone,
            _ => return Err(wrong),
        };
        let value = quoted(cursor).ok_or(wrong)?;
        if !spaced || slot.replace(value).is_some() {
            return Err(wrong);
        }
    }
    if version != Some("1.0") || !matches!(standalone, None | Some("yes" | "no")) {
        return Err(wrong);
    }
    match encoding {
        Some(name) if !name.eq_ignore_ascii_case("utf-8") => {
            Err(XmlError { kind: XmlErrorKind::Encoding, ..wrong })
        }
        _ => Ok(()),
    }
}

/// `= "value"` or `= 'value'` of the declaration.
fn quoted<'a>(cursor: &mut Cursor<'a>) -> Option<&'a str> {
    cursor.skip_space();
    if !cursor.take("=") {
        return None;
    }
    cursor.skip_space();
    let quote = if cursor.take("\"") {
        "\""
    } else if cursor.take("'") {
        "'"
    } else {
        return None;
    };
    let value = cursor
        .take_while(|character| character.is_ascii_alphanumeric() || "._-".contains(character));
    cursor.take(quote).then_some(value)
}

/// The root element with all its fields.
fn root(cursor: &mut Cursor<'_>) -> Result<Fields, XmlError> {
    let outside = cursor.error(XmlErrorKind::Root);
    if let Some(kind) = forbidden_markup(cursor.rest) {
        return Err(cursor.error(kind));
    }
    if !cursor.take("<") || cursor.name()? != ROOT {
        return Err(outside);
    }
    let mut fields = Fields::default();
    if cursor.tag_end()? == TagEnd::Closed {
        return Ok(fields);
    }
    loop {
        cursor.skip_space();
        if cursor.take("</") {
            cursor.end_tag(ROOT)?;
            return Ok(fields);
        }
        let offset = cursor.offset();
        let (name, value) = element(cursor)?;
        fields.insert_new(name, value, offset)?;
    }
}

/// One field with its value.
fn element<'a>(cursor: &mut Cursor<'a>) -> Result<(&'a str, String), XmlError> {
    if let Some(kind) = forbidden_markup(cursor.rest) {
        return Err(cursor.error(kind));
    }
    if cursor.rest.starts_with(CDATA_START) {
        return Err(cursor.error(XmlErrorKind::StrayText));
    }
    if !cursor.take("<") {
        return Err(cursor.unexpected(XmlErrorKind::StrayText));
    }
    let start = cursor.error(XmlErrorKind::Nested);
    let name = cursor.name()?;
    if name == ROOT {
        return Err(start);
    }
    match cursor.tag_end()? {
        TagEnd::Closed => Ok((name, String::new())),
        TagEnd::Open => Ok((name, value(cursor, name)?)),
    }
}

/// The pieces of a value, joined, up to and with the end tag.
fn value(cursor: &mut Cursor<'_>, name: &str) -> Result<String, XmlError> {
    let mut value = String::new();
    loop {
        let text_start = cursor.error(XmlErrorKind::CdataEnd);
        let text = cursor.take_while(|character| character != '<' && character != '&');
        if text.contains(CDATA_END) {
            return Err(text_start);
        }
        value.push_str(text);
        if cursor.take("</") {
            cursor.end_tag(name)?;
            return Ok(value);
        } else if cursor.take(CDATA_START) {
            value.push_str(cursor.take_through(CDATA_END)?);
        } else if cursor.rest.starts_with('&') {
            value.push(reference(cursor)?);
        } else {
            let kind = forbidden_markup(cursor.rest).unwrap_or(XmlErrorKind::Nested);
            return Err(cursor.unexpected(kind));
        }
    }
}

/// `&amp;` and its kind, `&#38;`, `&#x26;`: decoded once.
fn reference(cursor: &mut Cursor<'_>) -> Result<char, XmlError> {
    let unknown = cursor.error(XmlErrorKind::Entity);
    let wrong = XmlError { kind: XmlErrorKind::CharacterReference, ..unknown };
    cursor.take("&");
    let (body, rest) = cursor.rest.split_once(';').ok_or(unknown)?;
    if body.len() > REFERENCE_BYTES_MAX {
        return Err(unknown);
    }
    cursor.rest = rest;
    match body {
        "amp" => return Ok('&'),
        "lt" => return Ok('<'),
        "gt" => return Ok('>'),
        "quot" => return Ok('"'),
        "apos" => return Ok('\''),
        _ => {}
    }
    let (digits, radix) = match body.strip_prefix("#x") {
        Some(digits) => (digits, 16),
        None => (body.strip_prefix('#').ok_or(unknown)?, 10),
    };
    // `from_str_radix` would take a sign.
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(wrong);
    }
    u32::from_str_radix(digits, radix)
        .ok()
        .and_then(char::from_u32)
        .filter(|character| is_xml_char(*character))
        .ok_or(wrong)
}

/// Names the kind of markup that is refused wherever it stands; CDATA is not among it.
fn forbidden_markup(rest: &str) -> Option<XmlErrorKind> {
    if rest.starts_with("<?") {
        Some(XmlErrorKind::ProcessingInstruction)
    } else if rest.starts_with("<!--") {
        Some(XmlErrorKind::Comment)
    } else if rest.starts_with("<!") && !rest.starts_with(CDATA_START) {
        Some(XmlErrorKind::Doctype)
    } else {
        None
    }
}

/// How a start tag ends.
#[derive(PartialEq, Eq)]
enum TagEnd {
    /// With `>`: content follows.
    Open,
    /// With `/>`: the element is complete.
    Closed,
}

/// The unread rest of a text that knows its place.
struct Cursor<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    fn offset(&self) -> usize {
        self.text.len().saturating_sub(self.rest.len())
    }

    /// An error at this place.
    fn error(&self, kind: XmlErrorKind) -> XmlError {
        XmlError { kind, offset: self.offset() }
    }

    /// [`XmlErrorKind::Unclosed`] at the end of the text, else this kind.
    fn unexpected(&self, kind: XmlErrorKind) -> XmlError {
        self.error(if self.rest.is_empty() { XmlErrorKind::Unclosed } else { kind })
    }

    /// Steps over this token if it is next.
    fn take(&mut self, token: &str) -> bool {
        self.rest.strip_prefix(token).map(|rest| self.rest = rest).is_some()
    }

    /// Steps over white space; says whether there was any.
    fn skip_space(&mut self) -> bool {
        let before = self.rest.len();
        self.rest = self.rest.trim_start_matches(SPACE);
        self.rest.len() < before
    }

    fn take_while(&mut self, accept: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|character| !accept(character)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    /// The text before `end`, and steps over `end`.
    fn take_through(&mut self, end: &str) -> Result<&'a str, XmlError> {
        let (taken, rest) =
            self.rest.split_once(end).ok_or_else(|| self.error(XmlErrorKind::Unclosed))?;
        self.rest = rest;
        Ok(taken)
    }

    /// An element's name.
    fn name(&mut self) -> Result<&'a str, XmlError> {
        let start = self.unexpected(XmlErrorKind::Name);
        let name = self.take_while(|character| is_name_char(character) || character == ':');
        if name.contains(':') {
            Err(XmlError { kind: XmlErrorKind::Namespace, ..start })
        } else if name.len() > NAME_BYTES_MAX {
            Err(XmlError { kind: XmlErrorKind::NameTooLong, ..start })
        } else if name.starts_with(is_name_start) {
            Ok(name)
        } else {
            Err(start)
        }
    }

    /// The end of a start tag after its name.
    fn tag_end(&mut self) -> Result<TagEnd, XmlError> {
        let spaced = self.skip_space();
        if self.take(">") {
            Ok(TagEnd::Open)
        } else if self.take("/>") {
            Ok(TagEnd::Closed)
        } else {
            let kind = if spaced { XmlErrorKind::Attribute } else { XmlErrorKind::Name };
            Err(self.unexpected(kind))
        }
    }

    /// The end tag of `name` after its `</`.
    fn end_tag(&mut self, name: &str) -> Result<(), XmlError> {
        let start = self.unexpected(XmlErrorKind::EndTag);
        if self.take_while(|character| is_name_char(character) || character == ':') != name {
            return Err(start);
        }
        self.skip_space();
        if self.take(">") { Ok(()) } else { Err(self.unexpected(XmlErrorKind::EndTag)) }
    }
}
