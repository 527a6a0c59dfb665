use refsync::service::router::openapi::document;

#[test]
fn the_served_document_is_made_from_the_shapes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/service/router/openapi/openapi.json");
    let made = format!("{:#}\n", document());
    if std::env::var_os("REFSYNC_UPDATE_OPENAPI").is_some() {
        std::fs::write(path, &made).expect("the checkout can be written to");
    }
    let served = std::fs::read_to_string(path).expect("it is in the repository");
    assert!(served == made, "run `REFSYNC_UPDATE_OPENAPI=1 cargo test openapi` and look at what changed");
}
