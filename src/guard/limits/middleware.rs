//! The middleware that counts requests, before their bodies are read. It is the innermost one of the server:
//! a request that another middleware refuses is not counted. Written by hand, not with `from_fn`: polls, the
//! most frequent requests, pass without a boxed future.

use std::future::{Ready, ready};
use std::num::NonZeroU32;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::header::X_FORWARDED_FOR;
use actix_web::{Error, HttpMessage as _, web};
use futures_util::future::{Either, LocalBoxFuture, MapOk, TryFutureExt as _};

use super::{Allowance, Client, Limits, RateClass, RateLimited, responses};
use crate::guard::GuardSettings;
use crate::guard::api_tokens::{self, ApiToken, RequestToken};
use crate::guard::client_address::{behind_cache, is_proxy_itself, network_of, of_headers};
use crate::resource::{self, Endpoint, is_api};

/// Wraps the site.
#[derive(Clone)]
pub struct RateLimit {
    settings: web::Data<GuardSettings>,
    /// `None`: nothing is limited.
    limits: Option<Arc<Limits>>,
}

impl RateLimit {
    #[must_use]
    pub fn new(settings: web::Data<GuardSettings>, limits: Option<Arc<Limits>>) -> Self {
        Self { settings, limits }
    }
}

/// The middleware on one of the server's threads.
pub struct RateLimitService<S> {
    limit: RateLimit,
    site: Rc<S>,
}

type Limited<B> = ServiceResponse<EitherBody<B>>;

impl<S, B> Transform<S, ServiceRequest> for RateLimit
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = Limited<B>;
    type Error = Error;
    type Transform = RateLimitService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, site: S) -> Self::Future {
        ready(Ok(RateLimitService { limit: self.clone(), site: Rc::new(site) }))
    }
}

impl<S, B> Service<ServiceRequest> for RateLimitService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = Limited<B>;
    type Error = Error;
    type Future = Either<
        MapOk<S::Future, fn(ServiceResponse<B>) -> Limited<B>>,
        LocalBoxFuture<'static, Result<Limited<B>, Error>>,
    >;

    forward_ready!(site);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let path = request.match_info().as_str();
        let endpoint = resource::find(path);
        let class = endpoint.map_or(RateClass::Pages, |endpoint| endpoint.rate_class(request.method()));
        if is_api(path) {
            let call = call_api(self.limit.clone(), Rc::clone(&self.site), request, class);
            return Either::Right(Box::pin(call));
        }
        if class.is_shared() {
            let call = call_shared(self.limit.clone(), Rc::clone(&self.site), request, class);
            return Either::Right(Box::pin(call));
        }
        if endpoint.is_some_and(|endpoint| endpoint.is_cached) && self.limit.is_for_cache(&request) {
            let call = call_for_cache(self.limit.clone(), Rc::clone(&self.site), request, class);
            return Either::Right(Box::pin(call));
        }
        match self.limit.take_locally(endpoint, class, &request) {
            Ok(()) => Either::Left(self.site.call(request).map_ok(ServiceResponse::map_into_left_body)),
            Err(limited) => Either::Right(Box::pin(ready(Ok(self.limit.reject(request, &limited))))),
        }
    }
}

async fn call_shared<S, B>(
    limit: RateLimit,
    site: Rc<S>,
    request: ServiceRequest,
    class: RateClass,
) -> Result<Limited<B>, Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    match limit.take_shared(class, limit.client(&request)).await {
        Ok(_) => site.call(request).await.map(ServiceResponse::map_into_left_body),
        Err(limited) => Ok(limit.reject(request, &limited)),
    }
}

/// A response that a proxy caches is for everybody, so it counts for nobody. A client error is not cached: it
/// answers one visitor, who is counted.
async fn call_for_cache<S, B>(
    limit: RateLimit,
    site: Rc<S>,
    request: ServiceRequest,
    class: RateClass,
) -> Result<Limited<B>, Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    let proxies = &limit.settings.trusted_proxies;
    let visitor = Client::Network(network_of(behind_cache(request.peer_addr(), request.headers(), proxies)));
    let response = site.call(request).await?;
    let limits = limit.limits.as_ref().filter(|_| response.status().is_client_error());
    match limits.map(|limits| (limits, limits.take(class, visitor))) {
        Some((limits, Err(limited))) => {
            limits.log(class, visitor, None, "");
            let response: ServiceResponse<BoxBody> =
                response.into_response(responses::too_many_requests(false, &limited));
            Ok(response.map_into_right_body())
        }
        _ => Ok(response.map_into_left_body()),
    }
}

/// API clients are counted by their token, and told how many requests they have left. A request with an
/// unknown token is counted by its address, like one without a token, so that guessing tokens is limited too.
async fn call_api<S, B>(
    limit: RateLimit,
    site: Rc<S>,
    request: ServiceRequest,
    class: RateClass,
) -> Result<Limited<B>, Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    let has_token = api_tokens::bearer_token(request.headers()).is_some();
    let (api_class, client) = match limit.token(&request).await {
        Some(token) => {
            let client = Client::Token(token.id());
            request.extensions_mut().insert(RequestToken(token));
            (RateClass::ApiToken, client)
        }
        None => (RateClass::Api, limit.client(&request)),
    };
    let allowance = match limit.take_shared(api_class, client).await {
        Ok(allowance) => allowance,
        Err(limited) => return Ok(limit.reject(request, &limited)),
    };
    // Without a token, a booking through the API costs as much as one through the site.
    if api_class == RateClass::Api
        && class == RateClass::Bookings
        && let Err(limited) = limit.take_shared(class, client).await
    {
        return Ok(limit.reject(request, &limited));
    }
    let mut response = if has_token && api_class == RateClass::Api {
        request.into_response(responses::unknown_token()).map_into_right_body()
    } else {
        site.call(request).await?.map_into_left_body()
    };
    if let Some(allowance) = allowance {
        responses::add_allowance(response.headers_mut(), allowance);
    }
    Ok(response)
}

impl RateLimit {
    fn is_for_cache(&self, request: &ServiceRequest) -> bool {
        is_proxy_itself(request.peer_addr(), request.headers(), &self.settings.trusted_proxies)
    }

    /// Counts in this process, without waiting for anything. Monitoring is not counted: a load balancer that got 429
    /// would take the server out of service.
    fn take_locally(
        &self,
        endpoint: Option<&Endpoint>,
        class: RateClass,
        request: &ServiceRequest,
    ) -> Result<(), RateLimited> {
        let Some(limits) = &self.limits else { return Ok(()) };
        if endpoint.is_some_and(|endpoint| endpoint.is_monitoring) {
            Ok(())
        } else {
            limits.take(class, self.client(request)).map(drop)
        }
    }

    /// Counts together with the other servers. `None` if nothing is limited.
    async fn take_shared(&self, class: RateClass, client: Client) -> Result<Option<Allowance>, RateLimited> {
        match &self.limits {
            Some(limits) => limits.take_shared(class, client, NonZeroU32::MIN).await.map(Some),
            None => Ok(None),
        }
    }

    fn client(&self, request: &ServiceRequest) -> Client {
        let proxies = &self.settings.trusted_proxies;
        Client::Network(network_of(of_headers(request.peer_addr(), request.headers(), proxies)))
    }

    /// The token of the request, if it is a known one.
    async fn token(&self, request: &ServiceRequest) -> Option<Arc<ApiToken>> {
        self.settings.api_tokens.find(api_tokens::bearer_token(request.headers())?).await
    }

    fn reject<B>(&self, request: ServiceRequest, limited: &RateLimited) -> Limited<B> {
        self.log(&request, limited.class);
        let is_api = is_api(request.match_info().as_str());
        let response = responses::too_many_requests(is_api, limited);
        let response: ServiceResponse<BoxBody> = request.into_response(response);
        response.map_into_right_body()
    }

    fn log(&self, request: &ServiceRequest, class: RateClass) {
        let token = api_tokens::of_request(request.request()).filter(|_| class == RateClass::ApiToken);
        let client = token.as_ref().map_or_else(|| self.client(request), |token| Client::Token(token.id()));
        if let Some(limits) = &self.limits {
            limits.log(class, client, token.as_deref(), self.hint(request));
        }
    }

    /// A proxy that is missing in `TRUSTED_PROXIES` looks like one visitor with very many requests.
    fn hint(&self, request: &ServiceRequest) -> &'static str {
        let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
        let counted = of_headers(request.peer_addr(), request.headers(), &self.settings.trusted_proxies);
        if peer == Some(counted) && request.headers().contains_key(X_FORWARDED_FOR) {
            "; it sends X-Forwarded-For: if it is your proxy, add it to TRUSTED_PROXIES"
        } else {
            ""
        }
    }
}
