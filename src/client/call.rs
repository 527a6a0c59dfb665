//! Carries out a call of the API, with the same steps for every call, from the request's tree to the answer's tree.

use super::{
    Client, Error,
    exchange::{Answer, Outgoing},
    url,
};
use crate::{
    api::{
        Call, CallName, Repeat,
        json_tree::Json,
        parameter,
        shape::{Mismatch, Others, object},
    },
    clock,
    http::Method,
};

/// The values of a path's parameters, by name.
type Parameters = Vec<(&'static str, String)>;

/// A call that is ready to be sent.
pub(super) struct Prepared {
    pub(super) outgoing: Outgoing,
    parameters: Parameters,
    /// The input that is not in the path.
    request: Json,
}

impl Client {
    /// Carries out a call. `request` has the values of the path's parameters and the fields of the input.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRequest`] without a status if the request is not valid input of the call, and every error of the
    /// service.
    pub async fn call(&self, name: CallName, request: Json) -> Result<Json, Error> {
        let call = name.call();
        let Prepared { outgoing, mut parameters, request } = self.prepare(call, request).await?;
        let answer = match call.repeat {
            Repeat::Again => self.tries(&outgoing).await.0,
            Repeat::Deletion => match self.tries(&outgoing).await {
                (Err(Error::NotFound(_)), true) => return Ok(Json::Object(vec![("success".into(), Json::Flag(true))])),
                (answer, _) => answer,
            },
            Repeat::Renaming => match (self.tries(&outgoing).await, request.text("name")) {
                ((Err(Error::NotFound(refusal)), true), Some(renamed)) => {
                    for (_, value) in parameters.iter_mut().filter(|(name, _)| *name == "repo") {
                        renamed.clone_into(value);
                    }
                    self.read(CallName::ShowRepo, &parameters).await.map_err(|_| Error::NotFound(refusal))
                }
                ((answer, _), _) => answer,
            },
            Repeat::Cancellation => match self.tries(&outgoing).await {
                (Err(Error::Conflict(refusal)), true) => {
                    self.read(CallName::ShowSync, &parameters).await.map_err(|_| Error::Conflict(refusal))
                }
                (answer, _) => answer,
            },
            Repeat::Never | Repeat::LookFirst => self.unrepeatable(&outgoing, &request, &parameters, call.repeat).await,
        };
        Ok(answer?.json)
    }

    /// The HTTP request of a call.
    pub(super) async fn prepare(&self, call: &'static Call, mut request: Json) -> Result<Prepared, Error> {
        let refused = |mismatch| Error::argument(call.task(), "request", mismatch);
        let keys = [&call.path_keys(), call.takes.keys()];
        match &mut request {
            Json::Object(pairs) => object(&keys, pairs, Others::Refuse).map_err(refused)?,
            other => return Err(refused(Mismatch::no_object(other))),
        }
        let mut parameters = Parameters::new();
        let mut own_org = None;
        for name in call.parameters() {
            let value = request.take_text(name);
            value
                .as_deref()
                .map_or(Ok(()), url::check_segment)
                .map_err(|e| Error::invalid_field(call.task(), name, e))?;
            match name {
                "org" => own_org = value,
                _ => parameters.extend(value.map(|value| (name, value))),
            }
        }
        if call.parameters().any(|name| name == "org") {
            parameters.insert(0, ("org", self.org(call.task(), own_org.as_deref()).await?));
        }
        let mut operation = match (call.repeat, request.text("direction")) {
            (Repeat::LookFirst, Some(direction)) => [direction, " upstream of repository"].concat(),
            _ => call.verb.to_owned(),
        };
        let object = parameters.iter().filter(|(name, _)| matches!(*name, "org" | "repo"));
        for (at, (_, value)) in object.enumerate() {
            operation.push_str(if at == 0 { " " } else { "/" });
            operation.push_str(value);
        }
        let (query, body) = match call.method {
            Method::Get => (query(&request), None),
            Method::Delete => (Vec::new(), None),
            _ => (Vec::new(), Some(&request)),
        };
        let outgoing = self.outgoing(call, operation, &parameters, &query, body);
        Ok(Prepared { outgoing, parameters, request })
    }

    /// Sends a call that only reads, about the object of another call.
    async fn read(&self, name: CallName, parameters: &Parameters) -> Result<Answer, Error> {
        let call = name.call();
        self.tries(&self.outgoing(call, call.task().to_owned(), parameters, &[], None)).await.0
    }

    fn outgoing(
        &self,
        call: &'static Call,
        operation: String,
        parameters: &Parameters,
        query: &[(&str, String)],
        body: Option<&Json>,
    ) -> Outgoing {
        let segment = |segment: &'static str| {
            let found = parameter(segment).and_then(|name| parameters.iter().find(|(key, _)| *key == name));
            found.map_or(segment, |(_, value)| value.as_str())
        };
        let path: Vec<&str> = call.path.split('/').skip(1).map(segment).collect();
        Outgoing {
            operation,
            url: url::join(&self.options.api_url, &path, query),
            json: body.map(|body| body.encode().into()),
            call,
        }
    }

    /// Sends a call that must not do its work twice.
    async fn unrepeatable(
        &self,
        outgoing: &Outgoing,
        request: &Json,
        parameters: &Parameters,
        repeat: Repeat,
    ) -> Result<Answer, Error> {
        let began = self.timer.monotonic();
        let mut failures = 0;
        loop {
            let error = match self.once(outgoing).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            failures += 1;
            let lost = error.is_answer_lost();
            if lost && repeat == Repeat::Never {
                return Err(error);
            }
            let may_repeat = self.back_off(&error, failures).await.is_some();
            if lost {
                match self.find_run(request, parameters, began).await {
                    Ok(Some(run)) => return Ok(run),
                    Ok(None) => {}
                    // The run may exist, so another POST could make a second one.
                    Err(_) => return Err(error),
                }
            }
            if !may_repeat {
                return Err(error);
            }
        }
    }

    /// Finds the run that a POST made before its answer was lost.
    ///
    /// `began` is the time of the call's start, by our monotonic clock. Our clock and the service's clock may differ. So
    /// this compares ages: the age of the call by our clock, and the age of the run by the `Date` of the service's answer.
    /// If a browser hides that header, both clocks must agree.
    async fn find_run(&self, request: &Json, parameters: &Parameters, began: i64) -> Result<Option<Answer>, Error> {
        let list = CallName::ListSyncs.call();
        let newest = [("limit", "20".to_owned())];
        let outgoing = self.outgoing(list, list.task().to_owned(), parameters, &newest, None);
        let mut answer = self.tries(&outgoing).await.0?;
        let now = self.timer.now();
        // `Date` has no fraction of a second.
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

/// The fields that are not in the path, as a query: strings unchanged, everything else as JSON.
fn query(request: &Json) -> Vec<(&str, String)> {
    let Json::Object(pairs) = request else { return Vec::new() };
    let pairs = pairs.iter().map(|(key, value)| match value {
        Json::Text(text) => (key.as_str(), text.clone()),
        other => (key.as_str(), other.encode()),
    });
    pairs.collect()
}
