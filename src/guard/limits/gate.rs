//! Where every request is counted: before its body is read, and inside the headers that every response
//! carries. A middleware by hand and not `from_fn`: what the crowd asks for goes through without a future of
//! its own in memory.

use std::future::{Ready, ready};
use std::rc::Rc;

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::header::X_FORWARDED_FOR;
use actix_web::{Error, web};
use futures_util::future::{Either, LocalBoxFuture, MapOk, TryFutureExt as _};

use super::answers;
use super::{Class, Client, Limits, TooOften};
use crate::guard::api_tokens::{self, ApiTokens};
use crate::guard::client_address::{TrustedProxies, is_proxy_itself, network_of, of_headers};
use crate::resource::is_for_monitoring;

/// What the limits are counted with.
pub struct GateParts {
    /// `None`: nothing is limited.
    pub limits: Option<Limits>,
    pub trusted_proxies: TrustedProxies,
    pub api_tokens: ApiTokens,
}

/// Wraps the site.
pub struct Gate {
    parts: web::Data<GateParts>,
}

impl Gate {
    #[must_use]
    pub fn new(parts: web::Data<GateParts>) -> Self {
        Self { parts }
    }
}

/// The gate of one of the server's threads.
pub struct GateService<S> {
    parts: web::Data<GateParts>,
    site: Rc<S>,
}

type Answer<B> = ServiceResponse<EitherBody<B>>;

impl<S, B> Transform<S, ServiceRequest> for Gate
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = Answer<B>;
    type Error = Error;
    type Transform = GateService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, site: S) -> Self::Future {
        ready(Ok(GateService { parts: self.parts.clone(), site: Rc::new(site) }))
    }
}

impl<S, B> Service<ServiceRequest> for GateService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = Answer<B>;
    type Error = Error;
    type Future = Either<
        MapOk<S::Future, fn(ServiceResponse<B>) -> Answer<B>>,
        LocalBoxFuture<'static, Result<Answer<B>, Error>>,
    >;

    forward_ready!(site);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let class = class_of(&request);
        // A balancer that heard 429 would take the server for ill; what they cost is bounded by themselves.
        if class == Class::Pages && is_for_monitoring(request.match_info().as_str()) {
            return Either::Left(self.site.call(request).map_ok(ServiceResponse::map_into_left_body));
        }
        if class == Class::Api {
            return Either::Right(Box::pin(call_api(self.parts.clone(), Rc::clone(&self.site), request)));
        }
        if class.is_shared() {
            return Either::Right(Box::pin(call_strict(
                self.parts.clone(),
                Rc::clone(&self.site),
                request,
                class,
            )));
        }
        match take_for_the_crowd(&self.parts, class, &request) {
            Ok(()) => Either::Left(self.site.call(request).map_ok(ServiceResponse::map_into_left_body)),
            Err(refusal) => Either::Right(Box::pin(ready(Ok(refuse(&self.parts, request, &refusal))))),
        }
    }
}

/// By the path as the routes read it: one that is written in another way, with percent-encodings, is counted
/// as what it is.
fn class_of(request: &ServiceRequest) -> Class {
    Class::of(request.method(), request.match_info().as_str())
}

fn client_of(parts: &GateParts, request: &ServiceRequest) -> Client {
    let address = of_headers(request.peer_addr(), request.headers(), &parts.trusted_proxies);
    Client::Network(network_of(address))
}

/// Counts without waiting for anything. What a trusted proxy asks for in its own name is for everybody, and
/// goes through: were it refused, all visitors would be.
fn take_for_the_crowd(parts: &GateParts, class: Class, request: &ServiceRequest) -> Result<(), TooOften> {
    let Some(limits) = &parts.limits else { return Ok(()) };
    let proxies = &parts.trusted_proxies;
    if class.is_cached() && is_proxy_itself(request.peer_addr(), request.headers(), proxies) {
        return Ok(());
    }
    limits.take(class, client_of(parts, request)).map(drop)
}

async fn call_strict<S, B>(
    parts: web::Data<GateParts>,
    site: Rc<S>,
    request: ServiceRequest,
    class: Class,
) -> Result<Answer<B>, Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    if let Some(limits) = &parts.limits
        && let Err(refusal) = limits.take_everywhere(class, client_of(&parts, &request)).await
    {
        return Ok(refuse(&parts, request, &refusal));
    }
    site.call(request).await.map(ServiceResponse::map_into_left_body)
}

/// Programs are counted by their token when it is known, and told how much is left. Whoever bears one that is
/// not known is counted by address like those without, so that guessing is no way around it.
async fn call_api<S, B>(
    parts: web::Data<GateParts>,
    site: Rc<S>,
    request: ServiceRequest,
) -> Result<Answer<B>, Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    let borne = api_tokens::borne(request.headers());
    let known = borne.and_then(|token| parts.api_tokens.find(token));
    let (class, client) = match known {
        Some(token) => (Class::ApiToken, Client::Token(token.id())),
        None => (Class::Api, client_of(&parts, &request)),
    };
    let is_unknown = borne.is_some() && known.is_none();
    let allowance = match &parts.limits {
        Some(limits) => match limits.take_everywhere(class, client).await {
            Ok(allowance) => Some(allowance),
            Err(refusal) => return Ok(refuse(&parts, request, &refusal)),
        },
        None => None,
    };
    // What books costs the same whichever way it comes.
    if known.is_none()
        && is_booking(&request)
        && let Some(limits) = &parts.limits
        && let Err(refusal) = limits.take_everywhere(Class::Bookings, client).await
    {
        return Ok(refuse(&parts, request, &refusal));
    }
    let mut answer = if is_unknown {
        let answer = answers::unknown_token();
        request.into_response(answer).map_into_right_body()
    } else {
        site.call(request).await?.map_into_left_body()
    };
    if let Some(allowance) = allowance {
        answers::tell(answer.headers_mut(), allowance);
    }
    Ok(answer)
}

fn is_booking(request: &ServiceRequest) -> bool {
    !request.method().is_safe() && request.match_info().as_str().contains("/bookings")
}

fn refuse<B>(parts: &GateParts, request: ServiceRequest, refusal: &TooOften) -> Answer<B> {
    note(parts, &request, refusal.class);
    let answer = answers::too_often(refusal);
    let answer: ServiceResponse<BoxBody> = request.into_response(answer);
    answer.map_into_right_body()
}

/// Tells the log, once in a while.
fn note(parts: &GateParts, request: &ServiceRequest, class: Class) {
    let token = api_tokens::borne(request.headers()).and_then(|token| parts.api_tokens.find(token));
    let client = match token.filter(|_| class == Class::ApiToken) {
        Some(token) => Client::Token(token.id()),
        None => client_of(parts, request),
    };
    if !parts.limits.as_ref().is_some_and(|limits| limits.refusals.is_news(class, client)) {
        return;
    }
    let class = class.name();
    match (client, token) {
        (Client::Token(_), Some(token)) => {
            log::warn!("the API token {} asks too often ({class}), and hears 429", token.name);
        }
        (Client::Network(network), _) => {
            log::warn!("{network} asks too often ({class}), and hears 429{}", hint(parts, request));
        }
        (Client::Token(_), None) => {}
    }
}

/// A proxy that is not believed looks like a visitor who asks for a thousand.
fn hint(parts: &GateParts, request: &ServiceRequest) -> &'static str {
    let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
    let is_counted = peer == Some(of_headers(request.peer_addr(), request.headers(), &parts.trusted_proxies));
    if is_counted && request.headers().contains_key(X_FORWARDED_FOR) {
        "; it sends X-Forwarded-For: if it is a proxy of yours, TRUSTED_PROXIES must name it"
    } else {
        ""
    }
}
