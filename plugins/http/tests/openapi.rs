//! `call: openapi`: Swagger 2.0 and OpenAPI 3, parameters where the document says.

mod case;

use case::{Bench, refused};
use tongban_expr::{Value, value};
use tongban_http::Transport;
use wiremock::matchers::{body_json, body_string, header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

const PETS: &str = r##"{
  "swagger": "2.0", "host": "petstore.example", "basePath": "/v2", "schemes": ["https", "http"],
  "parameters": { "petId": { "name": "petId", "in": "path", "required": true, "type": "integer" } },
  "paths": {
    "/pet/findByStatus": { "get": { "operationId": "findPetsByStatus", "parameters": [
      { "name": "status", "in": "query", "required": true, "type": "array", "collectionFormat": "multi" } ] } },
    "/pet/{petId}": {
      "parameters": [ { "$ref": "#/parameters/petId" } ],
      "get": { "operationId": "getPetById" },
      "post": { "operationId": "updatePet", "parameters": [ { "name": "name", "in": "formData", "type": "string" } ] } },
    "/pet": { "post": { "operationId": "addPet", "parameters": [ { "name": "pet", "in": "body", "required": true } ] } }
  } }"##;

const PEOPLE: &str = r"
openapi: 3.1.0
servers:
  - url: '{base}/api'
    variables: { base: { default: /v3 } }
paths:
  /people/{id}:
    put:
      operationId: amendPerson
      parameters:
        - { name: id, in: path, required: true, schema: { type: string } }
        - { name: fields, in: query, explode: false, schema: { type: array } }
        - { name: where, in: query, style: deepObject, schema: { type: object } }
        - { name: X-Purpose, in: header, schema: { type: string } }
        - { name: lang, in: cookie, schema: { type: string } }
      requestBody:
        required: true
        content: { application/merge-patch+json: {} }
";

async fn pets() -> (MockServer, Bench) {
    let server = MockServer::start().await;
    Mock::given(path("/v2/swagger.json"))
        .respond_with(ResponseTemplate::new(200).set_body_raw(PETS, "application/json"))
        .expect(1)
        .mount(&server)
        .await;
    let mapping = format!("petstore.example={}", server.address())
        .parse()
        .expect("a mapping");
    (server, Bench::new(Transport::mapped(&[mapping])))
}

fn pet(operation: &str, parameters: Value) -> Value {
    value!({
        "document": { "endpoint": "https://petstore.example/v2/swagger.json" },
        "operationId": operation,
        "parameters": parameters,
    })
}

#[tokio::test]
async fn swagger_two() {
    let (server, bench) = pets().await;
    Mock::given(method("GET"))
        .and(path("/v2/pet/findByStatus"))
        .and(query_param("status", "available"))
        .respond_with(ResponseTemplate::new(200).set_body_raw("[{\"id\":1}]", "application/json"))
        .mount(&server)
        .await;
    Mock::given(method("GET"))
        .and(path("/v2/pet/7%2F8"))
        .respond_with(ResponseTemplate::new(200).set_body_raw("{\"id\":7}", "application/json"))
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .and(path("/v2/pet/7"))
        .and(body_string("name=Milou"))
        .respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .and(path("/v2/pet"))
        .and(body_json(
            Value::from_json("{\"name\":\"Rex\"}").expect("JSON"),
        ))
        .respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    for (operation, parameters, expected) in [
        (
            "findPetsByStatus",
            value!({ "status": "available" }),
            value!([{ "id": 1 }]),
        ),
        (
            "findPetsByStatus",
            value!({ "status": ["available", "sold"] }),
            value!([{ "id": 1 }]),
        ),
        (
            "getPetById",
            value!({ "petId": "7/8" }),
            value!({ "id": 7 }),
        ),
        (
            "updatePet",
            value!({ "petId": 7, "name": "Milou" }),
            Value::Null,
        ),
        ("addPet", value!({ "pet": { "name": "Rex" } }), Value::Null),
    ] {
        assert_eq!(
            bench.call("openapi", &pet(operation, parameters)).await,
            Ok(expected),
            "{operation}"
        );
    }
    let response = bench
        .call(
            "openapi",
            &pet("getPetById", value!({ "petId": "7/8" })).with("output", "response"),
        )
        .await
        .expect("an answer");
    assert_eq!(response.at("content.id"), Some(&value!(7)));
    assert_eq!(response.get("statusCode"), Some(&value!(200)));
}

#[tokio::test]
async fn what_does_not_fit_the_document() {
    let (server, bench) = pets().await;
    for (operation, parameters, family, words) in [
        ("findPets", value!({}), "configuration", "findPetsByStatus"),
        ("getPetById", value!({}), "validation", "`petId`"),
        ("getPetById", value!({ "petId": "" }), "validation", "empty"),
        (
            "getPetById",
            value!({ "petId": 1, "colour": "red" }),
            "validation",
            "`colour`",
        ),
        ("addPet", value!({}), "validation", "`pet`"),
    ] {
        refused(
            bench.call("openapi", &pet(operation, parameters)).await,
            family,
            400,
            words,
        );
    }
    let elsewhere = pet("x", Value::Null).with(
        "document",
        value!({ "endpoint": "https://other.example/x" }),
    );
    refused(
        bench.call("openapi", &elsewhere).await,
        "communication",
        503,
        "other.example",
    );
    drop(server);
}

#[tokio::test]
async fn a_document_that_is_none() {
    for text in [
        "",
        "<html>",
        "openapi: 4.0.0",
        "{\"swagger\":\"1.2\"}",
        "[1]",
    ] {
        let server = MockServer::start().await;
        Mock::given(path("/doc"))
            .respond_with(ResponseTemplate::new(200).set_body_raw(text, "text/plain"))
            .mount(&server)
            .await;
        let bench = Bench::on(&[&server]);
        let args = value!({ "document": { "endpoint": format!("{}/doc", server.uri()) }, "operationId": "x" });
        refused(
            bench.call("openapi", &args).await,
            "configuration",
            400,
            "OpenAPI 3.0, 3.1 or Swagger 2.0",
        );
    }
}

#[tokio::test]
async fn openapi_three_in_yaml() {
    let server = MockServer::start().await;
    Mock::given(path("/doc.yaml"))
        .respond_with(ResponseTemplate::new(200).set_body_raw(PEOPLE, "application/yaml"))
        .mount(&server)
        .await;
    Mock::given(method("PUT"))
        .and(path("/v3/api/people/p%201"))
        .and(query_param("fields", "name,unit"))
        .and(query_param("where[unit]", "police"))
        .and(header("x-purpose", "check"))
        .and(header("cookie", "lang=zh"))
        .and(header("authorization", "Bearer t0p/secret?&"))
        .and(header("content-type", "application/merge-patch+json"))
        .and(body_json(
            Value::from_json("{\"name\":\"李四\",\"age\":3}").expect("JSON"),
        ))
        .respond_with(ResponseTemplate::new(200))
        .expect(1)
        .mount(&server)
        .await;
    let bench = Bench::on(&[&server]);
    let args = value!({
        "document": { "endpoint": { "uri": format!("{}/doc.yaml", server.uri()) } },
        "operationId": "amendPerson",
        "parameters": {
            "id": "p 1", "fields": ["name", "unit"], "where": { "unit": "police" },
            "X-Purpose": "check", "lang": "zh", "name": "李四", "age": 3,
        },
        "authentication": { "bearer": { "use": "policeToken" } },
    });
    assert_eq!(bench.call("openapi", &args).await, Ok(Value::Null));
    let empty = args.with("parameters", value!({ "id": "p 1" }));
    refused(
        bench.call("openapi", &empty).await,
        "validation",
        400,
        "`body`",
    );
}

#[tokio::test]
async fn a_document_of_the_pack() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/api/people/;id=p%201"))
        .and(query_param("fields", "name|unit"))
        .respond_with(ResponseTemplate::new(200).set_body_raw("{\"id\":1}", "application/json"))
        .expect(1)
        .mount(&server)
        .await;
    let mapping = format!("people.example={}", server.address())
        .parse()
        .expect("a mapping");
    let bench = Bench::new(Transport::mapped(&[mapping]));
    let args = |place: &str, operation: &str| {
        value!({
            "document": { "endpoint": (place) }, "operationId": (operation),
            "parameters": { "id": "p 1", "fields": ["name", "unit"] },
        })
    };
    let packed = args("pack://apis/people.yaml", "getPerson");
    // The path item that leads out of the document stands behind the one that is called.
    assert_eq!(
        bench.call("openapi", &packed).await,
        Ok(value!({ "id": 1 }))
    );
    for (place, operation, words) in [
        (
            "pack://apis/none.yaml",
            "getPerson",
            "no file `apis/none.yaml`",
        ),
        (
            "pack://apis/people.yaml",
            "other",
            "bundle it into one document",
        ),
    ] {
        refused(
            bench.call("openapi", &args(place, operation)).await,
            "configuration",
            400,
            words,
        );
    }
}
