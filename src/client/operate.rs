//! How an [`Operation`] is carried out: one straight line for all calls, from the request's tree to the answer's.

use serde::Serialize;

use super::{
    Client, Error,
    call::{Answer, Call},
    json::Json,
    operations::{self, Operation, Place, Repeat},
    shape::Origin,
    url,
};
use crate::{clock, http::Method};

/// A request as the tree of its fields; what is left out of a type is left out of the tree.
pub(super) fn arguments(request: &impl Serialize) -> Json {
    let text = serde_json::to_vec(request).expect("the shapes have string keys only, so they are JSON");
    Json::parse(&text).expect("serde_json writes JSON")
}

/// An operation that is ready to be carried out.
pub(super) struct Prepared {
    pub(super) call: Call,
    /// The segments of its address up to the object's.
    path: Vec<String>,
    /// What is not in the path.
    request: Json,
}

impl Client {
    /// Carries an operation out.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRequest`] without a status where the request is not what the operation takes, and those of its
    /// method in [`Repos`](super::Repos), [`Syncs`](super::Syncs) or [`WebhookTargets`](super::WebhookTargets).
    pub(crate) async fn operate(&self, operation: &'static Operation, request: Json) -> Result<Answer, Error> {
        let Prepared { call, path, request } = self.prepare(operation, request).await?;
        match operation.repeat {
            Repeat::Again => self.tries(&call).await.0,
            Repeat::Deletion => match self.tries(&call).await {
                (Err(Error::NotFound(_)), true) => {
                    Ok(Answer { json: Json::Object(vec![("success".into(), Json::Flag(true))]), date: None })
                }
                (answer, _) => answer,
            },
            Repeat::Renaming => match (self.tries(&call).await, request.text("name")) {
                ((Err(Error::NotFound(refusal)), true), Some(name)) => {
                    let renamed = [path[0].clone(), name.to_owned()];
                    self.read(&operations::GET_REPO, &renamed).await.map_err(|_| Error::NotFound(refusal))
                }
                ((answer, _), _) => answer,
            },
            Repeat::Cancellation => match self.tries(&call).await {
                (Err(Error::Conflict(refusal)), true) => {
                    self.read(&operations::GET_SYNC, &path).await.map_err(|_| Error::Conflict(refusal))
                }
                (answer, _) => answer,
            },
            Repeat::Nothing | Repeat::LookFirst => self.unrepeatable(&call, &request, &path, operation.repeat).await,
        }
    }

    /// The call that carries an operation out.
    pub(super) async fn prepare(&self, operation: &'static Operation, mut request: Json) -> Result<Prepared, Error> {
        let refused = |mismatch| Error::argument(operation.verb, "request", mismatch);
        operation.takes.settle(&mut request, Origin::Caller).map_err(refused)?;
        let mut verb = operation.verb;
        let direction = [request.text("direction").unwrap_or_default(), " upstream of repository"].concat();
        if operation.repeat == Repeat::LookFirst {
            verb = &direction;
        }
        let mut segment = |key: &str| {
            let segment = request.take_text(key);
            let checked = segment.as_deref().map_or(Ok(()), url::check_segment);
            checked.map_err(|reason| Error::invalid_field(operation.verb, key, reason)).map(|()| segment)
        };
        let (repo, sync_id, target_id, org) =
            (segment("repo")?, segment("sync_id")?, segment("target_id")?, segment("org")?);
        let mut path = Vec::new();
        if operation.place == Place::Org {
            path.push(self.org(operation.verb, org.as_deref()).await?);
        }
        path.extend(repo);
        let name = [verb, " ", &path.join("/")].concat();
        path.extend(operation.rest.iter().map(|&segment| segment.to_owned()));
        path.extend(sync_id.or(target_id));
        let (query, body) = match operation.method {
            Method::Get => (query(&request), None),
            Method::Delete => (Vec::new(), None),
            _ => (Vec::new(), Some(&request)),
        };
        let call = self.call(operation, name, &path, &query, body);
        Ok(Prepared { call, path, request })
    }

    /// Asks for what is at `path`, with the operation that gives it.
    async fn read(&self, operation: &'static Operation, path: &[String]) -> Result<Answer, Error> {
        self.tries(&self.call(operation, operation.verb.to_owned(), path, &[], None)).await.0
    }

    /// A call to `path`, and what the operation has behind it.
    fn call(
        &self,
        operation: &'static Operation,
        name: String,
        path: &[String],
        query: &[(&str, String)],
        body: Option<&Json>,
    ) -> Call {
        let path: Vec<&str> = path.iter().map(String::as_str).chain(operation.tail.iter().copied()).collect();
        Call {
            operation: name,
            method: operation.method,
            url: url::join(&self.options.api_url, &path, query),
            json: body.map(|body| body.encode().into()),
            gives: operation.gives,
        }
    }

    /// Sends a call that must not do its work twice.
    async fn unrepeatable(
        &self,
        call: &Call,
        request: &Json,
        path: &[String],
        repeat: Repeat,
    ) -> Result<Answer, Error> {
        let began = self.timer.monotonic();
        let mut failures = 0;
        loop {
            let error = match self.once(call).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            failures += 1;
            let lost = error.is_answer_lost();
            if lost && repeat == Repeat::Nothing {
                return Err(error);
            }
            let may_repeat = self.back_off(&error, failures).await.is_some();
            if lost {
                match self.find_run(request, path, began).await {
                    Ok(Some(run)) => return Ok(run),
                    Ok(None) => {}
                    // Whether the run exists is not known, so that a repeated POST could make a second one.
                    Err(_) => return Err(error),
                }
            }
            if !may_repeat {
                return Err(error);
            }
        }
    }

    /// The run that a POST made whose answer was lost.
    ///
    /// `began` is our monotonic clock when the call began. Our clock and the service's may differ, so what is compared is how long
    /// ago, by the `Date` of the service's own answer; only where a browser hides that header the clocks have to agree.
    async fn find_run(&self, request: &Json, path: &[String], began: i64) -> Result<Option<Answer>, Error> {
        let operation = &operations::LIST_SYNCS;
        let newest = [("limit", "20".to_owned())];
        let call = self.call(operation, operation.verb.to_owned(), path, &newest, None);
        let mut answer = self.tries(&call).await.0?;
        let now = self.timer.now();
        // `Date` is cut to whole seconds.
        let since = answer.date.unwrap_or(now) - (self.timer.monotonic() - began) - 1000;
        let is_ours = |run: &Json| {
            let created = run.text("created_at").and_then(clock::rfc3339);
            let same = |key| run.of(key) == request.of(key);
            same("direction") && same("ref_globs") && created.is_some_and(|created| created >= since)
        };
        let Some(Json::List(runs)) = answer.json.take("syncs") else { return Ok(None) };
        Ok(runs.into_iter().find(is_ours).map(|json| Answer { json, date: None }))
    }
}

/// The fields that are not in the path, as they stand in a query.
fn query(request: &Json) -> Vec<(&str, String)> {
    let Json::Object(pairs) = request else { return Vec::new() };
    let pairs = pairs.iter().filter_map(|(key, value)| match value {
        Json::Text(text) | Json::Number(text) => Some((key.as_str(), text.clone())),
        _ => None,
    });
    pairs.collect()
}
