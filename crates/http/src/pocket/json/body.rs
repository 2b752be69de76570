//! Strict JSON bodies (H-1 to H-4): objects with known fields, each once, whole numbers, a cap.

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::{Deserialize, de::DeserializeOwned};

use super::object;
use crate::problem::{Problem, Text, rows};

/// The largest body: the longest request here, settings with every scene and address, is 3 KiB.
const BODY_BYTES_MAX: usize = 16 * 1024;

/// A body of one JSON object.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

/// No body, or an empty object: whoever sends fields is told that they mean nothing here.
#[derive(Clone, Copy, Debug)]
pub struct NoBody;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        if !says_json(request.headers()) {
            return Err(Problem::new(rows::NOT_JSON));
        }
        parse(&read(request.into_body()).await?).map(Self)
    }
}

impl<S: Sync> FromRequest<S> for NoBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let json = says_json(request.headers());
        let bytes = read(request.into_body()).await?;
        if bytes.is_empty() {
            return Ok(Self);
        }
        if !json {
            return Err(Problem::new(rows::NOT_JSON));
        }
        parse::<Nothing>(&bytes).map(|Nothing {}| Self)
    }
}

/// `application/json`, alone or with parameters.
fn says_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = kind.unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

async fn read(body: Body) -> Result<Bytes, Problem> {
    match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Problem::new(rows::TOO_LARGE)),
        // The connection broke: nobody reads the answer.
        Err(_broken) => Err(Problem::new(rows::BAD_JSON)),
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let mut track = serde_path_to_error::Track::new();
    let parsed = object(serde_path_to_error::Deserializer::new(&mut json, &mut track));
    match parsed {
        Ok(value) => match json.end() {
            Ok(()) => Ok(value),
            Err(_trailing) => Err(Problem::new(rows::BAD_JSON)),
        },
        Err(error) if error.is_data() => Err(wrong_field(&track.path(), &error.to_string())),
        Err(_syntax) => Err(Problem::new(rows::BAD_JSON)),
    }
}

/// Names the field and what is wrong with it. Of serde's own sentences only the kind is used:
/// they quote what was sent and names of our types.
fn wrong_field(path: &serde_path_to_error::Path, message: &str) -> Problem {
    let quoted = |start: &str| {
        message.strip_prefix(start).and_then(|rest| rest.split('`').next()).map(ToOwned::to_owned)
    };
    let at = pointer(path);
    // Noticed at the field itself; what is missing or doubled, at the object around it.
    if message.starts_with("unknown field `") {
        let detail = Text::new("未定义的字段", "not a field of this request");
        return Problem::new(rows::UNKNOWN_FIELD).field(at, detail);
    }
    let bad = Problem::new(rows::BAD_FIELD);
    if let Some(name) = quoted("missing field `") {
        return bad.field(inside(&at, &name), Text::new("必填", "is required"));
    }
    if let Some(name) = quoted("duplicate field `") {
        return bad.field(inside(&at, &name), Text::new("重复出现", "is given twice"));
    }
    match message.strip_prefix("not a ").and_then(|rule| rule.split(" at line ").next()) {
        Some(rule) => bad.field(at, Text::new(format!("格式应为 {rule}"), format!("not a {rule}"))),
        None => bad.field(at, Text::new("类型或取值错误", "of another type or value than allowed")),
    }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    path.iter().fold(String::new(), |pointer, segment| match segment {
        serde_path_to_error::Segment::Seq { index } => format!("{pointer}/{index}"),
        serde_path_to_error::Segment::Map { key } => format!("{pointer}/{}", escaped(key)),
        serde_path_to_error::Segment::Enum { .. } | serde_path_to_error::Segment::Unknown => {
            pointer
        }
    })
}

/// The field `name` of the object at `pointer`.
fn inside(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", escaped(name))
}

/// A name as a step of a JSON pointer, cut where no name of ours is as long.
fn escaped(name: &str) -> String {
    name.chars().take(64).collect::<String>().replace('~', "~0").replace('/', "~1")
}
