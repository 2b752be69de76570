//! The gates before an endpoint: readable, identified, admitted. The order is the precedence of
//! the refusals, see the head of [`super`].

use std::{net::IpAddr, sync::Arc};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::{HeaderMap, header::CONTENT_ENCODING},
};
use hongbao_app::{
    App,
    merchants::{CallKind, V2Access},
};
use hongbao_domain::{MerchantId, merchant::Settings};
use hongbao_wire::{
    ApiKey, BODY_BYTES_MAX, Fields, SignError, SignPolicy, SignType, names, verify,
};
use http_body_util::LengthLimitError;

use super::error::{CertificateFault, Stop, Unreadable};
use crate::peer::Peer;

/// What the signature is compared with where there is no key, so that this takes as long as a
/// comparison with one. What comes of it is never a yes.
const DECOY_KEY: &str = "00000000000000000000000000000000";

/// A call whose body could be read.
pub(super) struct Incoming {
    /// The elements of the body.
    pub(super) fields: Fields,
    peer: Option<Peer>,
}

/// Who calls, known by certificate and signature.
pub(super) struct Caller {
    /// The merchant.
    pub(super) merchant: MerchantId,
    /// What answers are signed with.
    pub(super) signer: Signer,
    settings: Arc<Settings>,
    address: IpAddr,
}

/// What answers to a caller are signed with.
pub(super) struct Signer {
    /// The merchant's key.
    pub(super) key: ApiKey,
    /// The algorithm of the request.
    pub(super) sign_type: SignType,
}

/// Reads the body, whatever its `Content-Type`.
pub(super) async fn read(request: Request) -> Result<Incoming, Stop> {
    let (mut parts, body) = request.into_parts();
    let fields = match read_fields(&parts.headers, body).await {
        Ok(fields) => fields,
        Err(why) => return Err(Stop::Unreadable(why)),
    };
    Ok(Incoming { fields, peer: parts.extensions.remove() })
}

async fn read_fields(headers: &HeaderMap, body: Body) -> Result<Fields, Unreadable> {
    // What is not unpacked cannot blow up (G-8).
    let plain = |encoding: &[u8]| encoding.eq_ignore_ascii_case(b"identity");
    if !headers.get_all(CONTENT_ENCODING).iter().all(|encoding| plain(encoding.as_bytes())) {
        return Err(Unreadable::Encoded);
    }
    let bytes: Bytes = to_bytes(body, BODY_BYTES_MAX).await.map_err(|error| {
        if error.into_inner().is::<LengthLimitError>() {
            Unreadable::TooLarge
        } else {
            Unreadable::Incomplete
        }
    })?;
    Ok(hongbao_wire::read(&bytes)?)
}

/// Finds out who calls: a certificate in force, of the merchant that the body names, and that
/// merchant's signature by its stored policy.
pub(super) async fn identify(app: &App, incoming: &Incoming) -> Result<Caller, Stop> {
    let (merchant, address) = certified(app, incoming).await?;
    let access = app.v2_access(merchant).await.map_err(Stop::App)?;
    let Some((key, settings)) = access.and_then(usable) else {
        return Err(Stop::Signature(pretend_to_verify(&incoming.fields)));
    };
    let policy =
        if settings.md5_allowed { SignPolicy::Md5Allowed } else { SignPolicy::HmacSha256Only };
    let sign_type =
        verify(&incoming.fields, &key, policy).map_err(|error| Stop::Signature(Some(error)))?;
    Ok(Caller { merchant, signer: Signer { key, sign_type }, settings, address })
}

async fn certified(app: &App, incoming: &Incoming) -> Result<(MerchantId, IpAddr), Stop> {
    let refused = |fault| Err(Stop::Certificate(fault));
    let Some(peer) = &incoming.peer else {
        return refused(CertificateFault::Missing);
    };
    let Some(certificate) = &peer.certificate else {
        return refused(CertificateFault::Missing);
    };
    let merchant = certificate.merchant;
    if incoming.fields.non_empty(names::MCH_ID) != Some(merchant.to_string().as_str()) {
        return refused(CertificateFault::OtherMerchant);
    }
    // Asked on every call, so that a revocation holds on connections that are open already (J-4).
    let stands = app.certificate_stands(merchant, &certificate.serial).await;
    if !stands.map_err(Stop::App)? {
        return refused(CertificateFault::NotInForce);
    }
    Ok((merchant, peer.addr.ip()))
}

/// Key and settings; `None` for a key that could not have been set (SIG-5).
fn usable(access: V2Access) -> Option<(ApiKey, Arc<Settings>)> {
    let V2Access { settings, key } = access;
    Some((ApiKey::try_new(&key).ok()?, settings))
}

/// The work of a check, and of its findings only what follows from the request alone.
fn pretend_to_verify(fields: &Fields) -> Option<SignError> {
    let decoy = ApiKey::try_new(DECOY_KEY).ok()?;
    let found = verify(fields, &decoy, SignPolicy::Md5Allowed).err();
    found.filter(|error| error.ambiguous_field().is_some())
}

/// Lets an identified caller in: its address is listed and it does not call too often. The
/// address is the socket's; the body's `client_ip` has no part in it (J-8).
pub(super) fn admit(app: &App, caller: &Caller, kind: CallKind) -> Result<(), Stop> {
    if !caller.settings.admits(caller.address) {
        return Err(Stop::Address);
    }
    app.take_call(caller.merchant, kind, &caller.settings).map_err(Stop::App)
}
