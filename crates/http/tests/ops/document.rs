//! The document: made from the routes, kept in the repository, and never behind.

use std::{collections::BTreeSet, path::Path};

use hongbao_domain::merchant::Settings;
use hongbao_http::{ops, pocket, pocket::json::Security};
use serde_json::Value;

fn document() -> Value {
    serde_json::to_value(ops::document()).unwrap()
}

#[test]
fn the_kept_document_is_the_one_the_routes_make() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi/hongbao.json");
    let made = ops::document().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::create_dir_all(kept.parent().unwrap()).unwrap();
        std::fs::write(&kept, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&kept).unwrap_or_default();
    assert!(kept == made, "openapi/hongbao.json is behind: run with UPDATE_OPENAPI=1");
}

#[test]
fn every_route_is_in_the_document_with_what_a_caller_has_to_show() {
    let document = document();
    let pocket = pocket::routes().iter().map(|r| (r.path(), r.method(), r.security())).collect();
    let ops = ops::routes().iter().map(|r| (r.path(), r.method(), r.security())).collect();
    let routes: [Vec<_>; 2] = [pocket, ops];
    let mut count = 0;
    for (path, method, security) in routes.into_iter().flatten() {
        count += 1;
        let operation = &document["paths"][path][method.as_str().to_lowercase()];
        assert!(operation["summary"].is_string(), "{method} {path}");
        let shown = &operation["security"][0];
        match security {
            Security::Open => assert!(shown.is_null(), "{path}"),
            Security::User => assert!(shown["user_token"].is_array(), "{path}"),
            Security::Operator(permission) => {
                assert_eq!(shown["operator_token"][0], permission.as_str(), "{path}");
            }
        }
        assert!(operation["responses"]["default"].is_object(), "{method} {path}");
    }
    let described: usize =
        document["paths"].as_object().unwrap().values().map(|p| p.as_object().unwrap().len()).sum();
    assert_eq!(count, described);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
}

/// Every `$ref` names a schema that is there.
#[test]
fn no_reference_of_the_document_is_dangling() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(name)) = fields.get("$ref") {
                    found.insert(name.clone());
                }
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 20);
    for name in found {
        assert!(document.pointer(name.trim_start_matches('#')).is_some(), "{name}");
    }
}

/// The body is the domain's type and its description another: their fields must agree.
#[test]
fn the_description_of_settings_has_the_fields_settings_have() {
    fn agree(schemas: &Value, name: &str, value: &Value) {
        let Value::Object(fields) = value else { return };
        let described = schemas[name]["properties"].as_object().unwrap();
        let described: BTreeSet<_> = described.keys().collect();
        assert_eq!(described, fields.keys().collect(), "{name}");
        for (field, value) in fields {
            let kind = &schemas[name]["properties"][field]["$ref"];
            if let Some(kind) = kind.as_str().and_then(|kind| kind.rsplit('/').next()) {
                agree(schemas, kind, value);
            }
        }
    }
    let settings = serde_json::to_value(Settings::new("x".to_owned())).unwrap();
    agree(&document()["components"]["schemas"], "Settings", &settings);
}
