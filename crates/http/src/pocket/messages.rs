//! The inbox.

use axum::{Json as Answer, extract::State};
use hongbao_app::users::InboxLine;
use hongbao_domain::{MerchantId, PacketKey, PacketNo, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    PocketState,
    caller::Caller,
    json::{CursorScope, PageQuery, Query, Route},
    words::{FormWord, KindWord, StatusWord},
};
use crate::problem::Problem;

/// A message that tells of a packet.
#[derive(Debug, Serialize, ToSchema)]
struct MessageLine {
    /// How it looks.
    form: FormWord,
    /// Who sends.
    sender: String,
    /// The greeting.
    wishing: String,
    /// The activity.
    act_name: String,
    /// One receiver or a group.
    kind: KindWord,
    /// Where the packet stands.
    status: StatusWord,
    /// What opens the packet.
    code: String,
    /// When it was sent.
    #[schema(format = DateTime)]
    sent_at: String,
    /// From here on it cannot be opened.
    #[schema(format = DateTime)]
    expires_at: String,
}

/// Messages, newest first.
#[derive(Debug, Serialize, ToSchema)]
struct MessagePage {
    /// The messages.
    items: Vec<MessageLine>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

pub(super) fn routes() -> [Route<PocketState>; 1] {
    [Route::get("/pocket/v1/messages", "Messages that tell of packets, newest first", list)
        .queried_by::<PageQuery>()
        .answers::<MessagePage>(200)]
}

async fn list(
    caller: Caller,
    State(state): State<PocketState>,
    Query(query): Query<PageQuery>,
) -> Result<Answer<MessagePage>, Problem> {
    let (scope, limit) = (CursorScope::new("messages", caller.user), query.limit()?);
    let before = query.position(&scope)?.and_then(place);
    let mut lines = state.app.inbox(caller.user, before, limit.saturating_add(1)).await?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = lines.len() > wanted;
    lines.truncate(wanted);
    let last = lines.last().filter(|_| more);
    let next = last.map(|line| scope.write(position(line)));
    Ok(Answer(MessagePage { items: lines.iter().map(MessageLine::of).collect(), next }))
}

fn position(line: &InboxLine) -> [u64; 3] {
    let PacketKey { merchant, no } = line.message.packet;
    [line.message.sent_at.millis().cast_unsigned(), merchant.get(), no.get()]
}

fn place([millis, merchant, no]: [u64; 3]) -> Option<(Timestamp, PacketKey)> {
    let merchant = MerchantId::try_new(merchant).ok()?;
    let key = PacketKey { merchant, no: PacketNo::new(no) };
    Some((Timestamp::from_millis(millis.cast_signed()), key))
}

impl MessageLine {
    fn of(line: &InboxLine) -> Self {
        let texts = &line.record.order.terms.texts;
        let packet = line.record.packet.as_ref();
        let expires_at = packet.map_or(line.message.sent_at, |packet| packet.expire_at);
        Self {
            form: line.message.form.into(),
            sender: texts.send_name.clone(),
            wishing: texts.wishing.clone(),
            act_name: texts.act_name.clone(),
            kind: line.record.order.terms.kind.into(),
            status: line.status.into(),
            code: line.code.to_string(),
            sent_at: line.message.sent_at.rfc3339(),
            expires_at: expires_at.rfc3339(),
        }
    }
}
