//! The document of both JSON faces, OpenAPI 3.1, made from their routes.

use utoipa::openapi::{
    Components, Info, OpenApi, Paths,
    security::{Http, HttpAuthScheme, SecurityScheme},
};

use crate::pocket::{self, json};

/// The document.
pub fn document() -> OpenApi {
    let (paths, components) = (Paths::new(), Components::new());
    let (paths, components) = json::document(pocket::routes(), paths, components);
    let (paths, mut components) = json::document(super::routes(), paths, components);
    components.add_security_scheme("user_token", bearer("A JWT of the host app", "JWT"));
    let operator = bearer("An operator's token; its scopes are permissions", "opaque");
    components.add_security_scheme("operator_token", operator);
    let mut info = Info::new("Hongbao", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "Cash red packets: the users' face and the operators' face. Money is whole fen. Every \
         problem says what happened to the money and what to do next."
            .to_owned(),
    );
    let mut document = OpenApi::new(info, paths);
    document.components = Some(components);
    document
}

fn bearer(description: &str, format: &str) -> SecurityScheme {
    let mut http = Http::new(HttpAuthScheme::Bearer);
    http.description = Some(description.to_owned());
    http.bearer_format = Some(format.to_owned());
    SecurityScheme::Http(http)
}
