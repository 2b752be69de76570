//! Answers: the lines all of them share, what they echo, their signature, their log line.

use axum::{
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
};
use hongbao_domain::{AppId, BillNo, MerchantId, OpenId};
use hongbao_wire::{Answer, ErrCode, Fields, names, parse_fen, sign_answer};

use super::{
    error::{Stop, Words},
    gates::Signer,
};
use crate::watch::AnswerCode;

/// The identifiers of a call.
///
/// Only those in their own form: an answer, and a log line, are no place for a stranger's text.
#[derive(Clone, Copy)]
pub(super) struct Identifiers<'f>(&'f Fields);

impl<'f> Identifiers<'f> {
    /// Those among the elements of a body.
    pub(super) const fn of(fields: &'f Fields) -> Self {
        Self(fields)
    }

    /// The merchant that the body names.
    fn mch_id(self) -> Option<&'f str> {
        self.0.non_empty(names::MCH_ID).filter(|text| text.parse::<MerchantId>().is_ok())
    }

    /// The order that the body names.
    fn bill_no(self) -> Option<&'f str> {
        self.0.non_empty(names::MCH_BILLNO).filter(|text| text.parse::<BillNo>().is_ok())
    }

    /// Writes what every answer echoes.
    pub(super) fn echo_order(self, answer: &mut Answer) {
        push(answer, names::MCH_BILLNO, self.bill_no());
        push(answer, names::MCH_ID, self.mch_id());
    }

    /// Writes what the answer to a send echoes.
    pub(super) fn echo_send(self, answer: &mut Answer) {
        self.echo_order(answer);
        let well_formed_app = |text: &&str| text.parse::<AppId>().is_ok();
        let well_formed_openid = |text: &&str| text.parse::<OpenId>().is_ok();
        let fields = self.0;
        push(answer, names::WXAPPID, fields.non_empty(names::WXAPPID).filter(well_formed_app));
        push(
            answer,
            names::RE_OPENID,
            fields.non_empty(names::RE_OPENID).filter(well_formed_openid),
        );
        let amount = fields.non_empty(names::TOTAL_AMOUNT).and_then(|text| parse_fen(text).ok());
        if let Some(fen) = amount {
            answer.push_number(names::TOTAL_AMOUNT, fen);
        }
    }
}

fn push(answer: &mut Answer, name: &'static str, text: Option<&str>) {
    answer.push_text(name, text.unwrap_or_default());
}

/// The first lines of an answer that says yes.
pub(super) fn good(text: &str) -> Answer {
    head([names::SUCCESS, text, names::SUCCESS, names::SUCCESS, text])
}

/// The first lines of an answer that says no. Only where nothing could be read at all does the
/// transport's own code say so too.
pub(super) fn bad(words: &Words) -> Answer {
    let return_code = if words.code == ErrCode::XmlError { names::FAIL } else { names::SUCCESS };
    head([return_code, &words.text, names::FAIL, words.code.as_str(), &words.text])
}

fn head(values: [&str; 5]) -> Answer {
    const NAMES: [&str; 5] = [
        names::RETURN_CODE,
        names::RETURN_MSG,
        names::RESULT_CODE,
        names::ERR_CODE,
        names::ERR_CODE_DES,
    ];
    let mut answer = Answer::new();
    for (name, value) in NAMES.into_iter().zip(values) {
        answer.push_text(name, value);
    }
    answer
}

/// Signs an answer with what its request was verified with; where nothing was, it stays unsigned.
pub(super) fn sign(answer: &mut Answer, signer: Option<&Signer>) {
    let Some(Signer { key, sign_type }) = signer else {
        return;
    };
    // A text that could be read as another field must not be signed, and is still good to send.
    if let Err(error) = sign_answer(answer, key, *sign_type) {
        tracing::warn!(%error, "an answer goes out unsigned");
    }
}

/// The answer to a body that could not be read.
pub(super) fn unreadable(call: &'static str, stop: &Stop) -> Response {
    let code = log(call, Identifiers::of(&Fields::default()), Some(stop));
    response(bad(&stop.words()).render(), code)
}

/// An answer below the level of the calls.
pub(super) fn transport_refusal(status: StatusCode, text: &str) -> Response {
    let mut answer = Answer::new();
    answer.push_text(names::RETURN_CODE, names::FAIL).push_text(names::RETURN_MSG, text);
    (status, response(answer.render(), AnswerCode(names::FAIL))).into_response()
}

/// XML as a response in one piece, whose length the framework adds. Whoever counts answers reads
/// `code` there, for the status is always 200.
pub(super) fn response(xml: String, code: AnswerCode) -> Response {
    let mut response = ([(CONTENT_TYPE, "text/xml; charset=utf-8")], xml).into_response();
    response.extensions_mut().insert(code);
    response
}

/// The one log line of a call: who, which order, how it ended. Nobody's openid, no text, no key.
/// A warning where the platform itself is the reason. Answers the outcome.
pub(super) fn log(call: &'static str, ids: Identifiers<'_>, stop: Option<&Stop>) -> AnswerCode {
    let mch_id = ids.mch_id().unwrap_or("-");
    let bill_no = ids.bill_no().unwrap_or("-");
    let Some(stop) = stop else {
        let outcome = names::SUCCESS;
        tracing::info!(call, mch_id, bill_no, outcome, "{call} of {mch_id}, order {bill_no}");
        return AnswerCode(outcome);
    };
    let (code, cause) = (stop.words().code, stop.cause());
    let outcome = code.as_str();
    if code == ErrCode::Systemerror {
        tracing::warn!(
            call,
            mch_id,
            bill_no,
            outcome,
            cause,
            "{call} of {mch_id}, order {bill_no}"
        );
    } else {
        tracing::info!(
            call,
            mch_id,
            bill_no,
            outcome,
            cause,
            "{call} of {mch_id}, order {bill_no}"
        );
    }
    AnswerCode(outcome)
}
