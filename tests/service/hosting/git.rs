use refsync::{
    http::Method,
    service::{Scope, hosting::git::Target},
};

#[test]
fn knows_the_four_requests_of_smart_http() {
    for (method, rest, scope) in [
        (Method::Get, "info/refs?service=git-upload-pack", Scope::Read),
        (Method::Get, "info/refs?service=git-receive-pack", Scope::Write),
        (Method::Post, "git-upload-pack", Scope::Read),
        (Method::Post, "git-receive-pack", Scope::Write),
    ] {
        let target = Target::parse(method, &format!("http://h/acme/App.js.git/{rest}")).expect(rest);
        assert_eq!(target, Target { org: "acme".into(), repo: "App.js".into(), rest, scope });
    }
}

#[test]
fn knows_no_other_request() {
    for (method, path) in [
        (Method::Get, "/acme/app.git/info/refs"),
        (Method::Get, "/acme/app.git/info/refs?service=git-upload-pack&service=git-receive-pack"),
        (Method::Get, "/acme/app.git/info/refs?service=git-upload-archive"),
        (Method::Get, "/acme/app.git/HEAD"),
        (Method::Get, "/acme/app.git/objects/info/packs"),
        (Method::Get, "/acme/app.git/config"),
        (Method::Get, "/acme/app.git/../x.git/info/refs?service=git-upload-pack"),
        (Method::Get, "/acme/app.git/git-upload-pack"),
        (Method::Post, "/acme/app.git/info/refs?service=git-upload-pack"),
        (Method::Post, "/acme/app.git/git-upload-pack?x"),
        (Method::Put, "/acme/app.git/git-receive-pack"),
        (Method::Post, "/app.git/git-receive-pack"),
        (Method::Post, "/a/b/c.git/git-receive-pack"),
        (Method::Post, "/acme/%ff.git/git-receive-pack"),
    ] {
        assert_eq!(Target::parse(method, &format!("http://h{path}")), None, "{path}");
    }
}
