//! From a list of routes to a router, and to its part of the document.

use std::convert::Infallible;

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, header},
    response::Response,
    routing,
};
use tower::{Service, layer::layer_fn, service_fn};
use utoipa::openapi::{Components, ComponentsBuilder, Paths};

use super::Route;
use crate::problem::{Language, Problem, rows};

/// A router of these routes: what is not among them is not there.
pub fn assemble<S: Clone + Send + Sync + 'static>(routes: Vec<Route<S>>, state: S) -> Router {
    routes
        .into_iter()
        .fold(Router::new(), |router, route| router.route(route.path(), route.handled()))
        .fallback(async || Problem::new(rows::NO_ROUTE))
        .method_not_allowed_fallback(async || Problem::new(rows::METHOD_NOT_ALLOWED))
        .layer(layer_fn(finishing))
        .with_state(state)
}

/// Paths and schemas of these routes.
pub fn document<S: Clone + Send + Sync + 'static>(
    routes: Vec<Route<S>>,
    mut paths: Paths,
    components: Components,
) -> (Paths, Components) {
    let mut components = ComponentsBuilder::from(components);
    for route in routes {
        let path = route.path();
        let (method, operation, schemas) = route.described();
        paths.add_path_operation(path, vec![method], operation);
        components = components.schemas_from_iter(schemas);
    }
    (paths, components.build())
}

/// The routes with every answer finished. Not a function of axum's middleware, which would box
/// the answer and clone the routes once more for each request.
fn finishing(
    mut routes: routing::Route,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone {
    service_fn(move |request: Request| {
        let language = Language::asked_for(request.headers());
        let answer = routes.call(request);
        async move { Ok(finished(answer.await?, language)) }
    })
}

/// Problems in the caller's language, and headers that no answer goes without.
fn finished(mut response: Response, language: Language) -> Response {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let allow = response.headers_mut().remove(header::ALLOW);
        response = problem.response(language);
        if let Some(methods) = allow {
            response.headers_mut().insert(header::ALLOW, methods);
        }
    }
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.append(header::VARY, HeaderValue::from_static("accept-language"));
    response
}
