//! Routes. One list of them makes both the router and its document, so neither can miss one.
//!
//! Who may call stands in the handler's own signature: its first argument is a [`Principal`], and
//! a handler without one does not become a route.

use axum::{
    handler::Handler,
    http::Method,
    routing::{MethodFilter, MethodRouter, on},
};
use utoipa::{
    IntoParams, PartialSchema as _, ToSchema,
    openapi::{
        Content, HttpMethod, Ref, RefOr, Required, Response, Schema,
        path::{Operation, OperationBuilder, ParameterBuilder, ParameterIn},
        request_body::RequestBodyBuilder,
        schema::{ObjectBuilder, Type},
        security::SecurityRequirement,
    },
};

use crate::{ops::Permission, problem::ProblemBody};

/// What a caller has to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Nothing.
    Open,
    /// A user's token of the host app.
    User,
    /// An operator's token with this permission.
    Operator(Permission),
}

/// An argument that says who calls, and so what the caller has to show.
pub trait Principal {
    /// What the caller has to show.
    const SECURITY: Security;
}

/// Anybody at all.
#[derive(Clone, Copy, Debug)]
pub struct Anyone;

impl Principal for Anyone {
    const SECURITY: Security = Security::Open;
}

impl<S: Sync> axum::extract::FromRequestParts<S> for Anyone {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        _parts: &mut axum::http::request::Parts,
        _state: &S,
    ) -> Result<Self, Self::Rejection> {
        Ok(Self)
    }
}

/// The arguments of a handler whose first is a [`Principal`].
pub trait Endpoint {
    /// The first argument.
    type Principal: Principal;
}

impl<M, P: Principal> Endpoint for (M, P) {
    type Principal = P;
}

impl<M, P: Principal, A> Endpoint for (M, P, A) {
    type Principal = P;
}

impl<M, P: Principal, A, B> Endpoint for (M, P, A, B) {
    type Principal = P;
}

impl<M, P: Principal, A, B, C> Endpoint for (M, P, A, B, C) {
    type Principal = P;
}

impl<M, P: Principal, A, B, C, D> Endpoint for (M, P, A, B, C, D) {
    type Principal = P;
}

/// One route: how it is called, by whom, what it takes and answers, and who handles it.
pub struct Route<S> {
    method: HttpMethod,
    path: &'static str,
    security: Security,
    operation: OperationBuilder,
    schemas: Vec<(String, RefOr<Schema>)>,
    handler: MethodRouter<S>,
}

impl<S: Clone + Send + Sync + 'static> Route<S> {
    /// A route that reads.
    pub fn get<H, T>(path: &'static str, summary: &str, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: Endpoint + 'static,
    {
        let handler = on(MethodFilter::GET, handler);
        Self::new::<T::Principal>(HttpMethod::Get, path, summary, handler)
    }

    /// A route that does something.
    pub fn post<H, T>(path: &'static str, summary: &str, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: Endpoint + 'static,
    {
        let handler = on(MethodFilter::POST, handler);
        Self::new::<T::Principal>(HttpMethod::Post, path, summary, handler)
    }

    /// A route that sets something as a whole.
    pub fn put<H, T>(path: &'static str, summary: &str, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: Endpoint + 'static,
    {
        let handler = on(MethodFilter::PUT, handler);
        Self::new::<T::Principal>(HttpMethod::Put, path, summary, handler)
    }

    /// A route that ends something.
    pub fn delete<H, T>(path: &'static str, summary: &str, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: Endpoint + 'static,
    {
        let handler = on(MethodFilter::DELETE, handler);
        Self::new::<T::Principal>(HttpMethod::Delete, path, summary, handler)
    }

    fn new<P: Principal>(
        method: HttpMethod,
        path: &'static str,
        summary: &str,
        handler: MethodRouter<S>,
    ) -> Self {
        let operation = OperationBuilder::new()
            .summary(Some(summary))
            .operation_id(Some(operation_id(&method, path)))
            .tag(tag_of(path))
            .response("default", problem_response());
        let operation = names_in(path).into_iter().fold(operation, |operation, name| {
            operation.parameter(
                ParameterBuilder::new()
                    .name(name)
                    .parameter_in(ParameterIn::Path)
                    .required(Required::True)
                    .schema(Some(ObjectBuilder::new().schema_type(Type::String))),
            )
        });
        let operation = match P::SECURITY {
            Security::Open => operation,
            Security::User => operation.security(requirement("user_token", None)),
            Security::Operator(permission) => {
                operation.security(requirement("operator_token", Some(permission)))
            }
        };
        let mut schemas = vec![(ProblemBody::name().into_owned(), ProblemBody::schema())];
        ProblemBody::schemas(&mut schemas);
        Self { method, path, security: P::SECURITY, operation, schemas, handler }
    }

    /// It takes this body.
    #[must_use]
    pub fn takes<B: ToSchema>(mut self) -> Self {
        self.keep::<B>();
        let content = Content::new(Some(Ref::from_schema_name(B::name())));
        let body = RequestBodyBuilder::new().content("application/json", content);
        let body = body.required(Some(Required::True)).build();
        self.operation = self.operation.request_body(Some(body));
        self
    }

    /// It takes these query parameters.
    #[must_use]
    pub fn queried_by<Q: IntoParams>(mut self) -> Self {
        let parameters = Q::into_params(|| Some(ParameterIn::Query));
        self.operation = parameters.into_iter().fold(self.operation, OperationBuilder::parameter);
        self
    }

    /// It takes this header.
    #[must_use]
    pub fn with_header(mut self, name: &str, description: &str) -> Self {
        let header = ParameterBuilder::new()
            .name(name)
            .description(Some(description))
            .parameter_in(ParameterIn::Header)
            .required(Required::True)
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)));
        self.operation = self.operation.parameter(header);
        self
    }

    /// It answers this body with `status`.
    #[must_use]
    pub fn answers<A: ToSchema>(mut self, status: u16) -> Self {
        self.keep::<A>();
        let said = if status < 300 { "It happened, or had happened before." } else { "Not now." };
        let mut response = Response::new(said);
        let content = Content::new(Some(Ref::from_schema_name(A::name())));
        response.content.insert("application/json".to_owned(), content.into());
        self.operation = self.operation.response(status.to_string(), response);
        self
    }

    /// It answers a plain text.
    #[must_use]
    pub fn answers_text(mut self, said: &str) -> Self {
        let mut response = Response::new(said);
        let content = Content::new(Some(ObjectBuilder::new().schema_type(Type::String)));
        response.content.insert("text/plain".to_owned(), content.into());
        self.operation = self.operation.response("200", response);
        self
    }

    /// It answers nothing but that it was done.
    #[must_use]
    pub fn answers_nothing(mut self) -> Self {
        self.operation = self.operation.response("204", Response::new("Done."));
        self
    }

    fn keep<T: ToSchema>(&mut self) {
        self.schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(&mut self.schemas);
    }

    /// Its path.
    pub const fn path(&self) -> &'static str {
        self.path
    }

    /// Its method.
    pub const fn method(&self) -> Method {
        match self.method {
            HttpMethod::Post => Method::POST,
            HttpMethod::Put => Method::PUT,
            HttpMethod::Delete => Method::DELETE,
            _ => Method::GET,
        }
    }

    /// What a caller has to show.
    pub const fn security(&self) -> Security {
        self.security
    }

    /// Method, operation and the schemas it names.
    pub(super) fn described(self) -> (HttpMethod, Operation, Vec<(String, RefOr<Schema>)>) {
        (self.method, self.operation.build(), self.schemas)
    }

    /// Who handles it.
    pub(super) fn handled(self) -> MethodRouter<S> {
        self.handler
    }
}

/// `ops` of `/ops/v1/merchants`, `health` of `/healthz`.
fn tag_of(path: &str) -> &'static str {
    if path.starts_with("/pocket/") {
        "pocket"
    } else if path.starts_with("/ops/") {
        "ops"
    } else {
        "health"
    }
}

/// `post_pocket_v1_packets_code_open`.
fn operation_id(method: &HttpMethod, path: &str) -> String {
    let verb = match method {
        HttpMethod::Post => "post",
        HttpMethod::Put => "put",
        HttpMethod::Delete => "delete",
        _ => "get",
    };
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.fold(verb.to_owned(), |id, word| format!("{id}_{word}"))
}

fn names_in(path: &'static str) -> Vec<&'static str> {
    path.split('/')
        .filter_map(|step| step.strip_prefix('{').and_then(|step| step.strip_suffix('}')))
        .collect()
}

fn requirement(scheme: &str, permission: Option<Permission>) -> SecurityRequirement {
    SecurityRequirement::new(scheme, permission.map(Permission::as_str))
}

fn problem_response() -> Response {
    let mut response = Response::new("Why it did not happen, where the money is, what to do next.");
    let content = Content::new(Some(Ref::from_schema_name(ProblemBody::name())));
    response.content.insert("application/problem+json".to_owned(), content.into());
    response
}
