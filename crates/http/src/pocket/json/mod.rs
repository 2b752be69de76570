//! What both JSON faces are made of: strict bodies, money, pages, routes that document themselves.

mod body;
mod cursor;
mod money;
mod object;
mod parts;
mod query;
mod route;
mod router;
mod secret;
mod time;

pub use body::{Json, NoBody};
pub use cursor::CursorScope;
pub use money::{Currency, Money};
pub use object::object;
pub use parts::InPath;
pub use query::{PageQuery, Query};
pub use route::{Anyone, Endpoint, Principal, Route, Security};
pub use router::{assemble, document};
pub use secret::Secret;
pub use time::Rfc3339;
