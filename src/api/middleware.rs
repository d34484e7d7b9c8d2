//! The API's middleware: CORS, and errors of inner middlewares and the router as JSON. Requests for other URLs pass
//! unchanged.
//!
//! It wraps the rate limits, so that other sites' pages can read a 429. Preflight requests are answered here and not
//! counted.

use std::rc::Rc;

use actix_cors::{Cors, CorsMiddleware};
use actix_web::Error;
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::error::InternalError;
use actix_web::http::Method;
use actix_web::http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH, LINK, LOCATION,
    RETRY_AFTER,
};
use futures_util::future::{Either, FutureExt as _, LocalBoxFuture, MapOk, TryFutureExt as _};

use super::in_json;
use crate::guard::{mark_uncounted, panics};
use crate::resource::is_api;

/// Seconds for which a browser caches a preflight response.
const PREFLIGHT_SECONDS: usize = 600;

/// Which other sites may call the API from their pages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CorsOrigins {
    #[default]
    None,
    /// As browsers write them in `Origin`.
    Of(Vec<String>),
    Any,
}

/// Wraps the site.
pub struct ApiMiddleware {
    origins: CorsOrigins,
}

impl ApiMiddleware {
    #[must_use]
    pub fn new(origins: CorsOrigins) -> Self {
        Self { origins }
    }

    /// Never with credentials: the API reads no cookies.
    fn cors(&self) -> Option<Cors> {
        let cors = match &self.origins {
            CorsOrigins::None => return None,
            CorsOrigins::Any => Cors::default().send_wildcard().allow_any_origin(),
            CorsOrigins::Of(origins) => {
                origins.iter().fold(Cors::default(), |cors, origin| cors.allowed_origin(origin))
            }
        };
        let idempotency_key = HeaderName::from_static("idempotency-key");
        let limits = [HeaderName::from_static("ratelimit"), HeaderName::from_static("ratelimit-policy")];
        Some(
            cors.allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
                .allowed_headers([
                    ACCEPT,
                    AUTHORIZATION,
                    CONTENT_TYPE,
                    IF_MATCH,
                    IF_NONE_MATCH,
                    idempotency_key,
                ])
                .expose_headers(limits.into_iter().chain([ETAG, LINK, LOCATION, RETRY_AFTER]))
                .max_age(PREFLIGHT_SECONDS),
        )
    }
}

/// The middleware on one of the server's threads.
pub struct ApiMiddlewareService<S> {
    site: Rc<S>,
    cors: Option<CorsMiddleware<JsonErrors<S>>>,
}

type Answer<B> = ServiceResponse<EitherBody<B>>;

impl<S, B> Transform<S, ServiceRequest> for ApiMiddleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = Answer<B>;
    type Error = Error;
    type Transform = ApiMiddlewareService<S>;
    type InitError = ();
    type Future = LocalBoxFuture<'static, Result<Self::Transform, ()>>;

    fn new_transform(&self, site: S) -> Self::Future {
        let site = Rc::new(site);
        let cors = self.cors().map(|cors| cors.new_transform(JsonErrors { site: Rc::clone(&site) }));
        async move {
            let cors = match cors {
                Some(cors) => Some(cors.await?),
                None => None,
            };
            Ok(ApiMiddlewareService { site, cors })
        }
        .boxed_local()
    }
}

impl<S, B> Service<ServiceRequest> for ApiMiddlewareService<S>
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
        if !is_api(request.match_info().as_str()) {
            return Either::Left(self.site.call(request).map_ok(ServiceResponse::map_into_left_body));
        }
        Either::Right(match &self.cors {
            Some(cors) => {
                if request.method() == Method::OPTIONS {
                    mark_uncounted(&request);
                }
                let answer = cors.call(request);
                answer.map_ok(|it| it.map_into_boxed_body().map_into_right_body()).boxed_local()
            }
            None => JsonErrors { site: Rc::clone(&self.site) }
                .call(request)
                .map_ok(|it| it.map_into_right_body())
                .boxed_local(),
        })
    }
}

/// The site with its errors in JSON.
pub struct JsonErrors<S> {
    site: Rc<S>,
}

impl<S, B> Service<ServiceRequest> for JsonErrors<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Error>>;

    forward_ready!(site);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let path = request.match_info().as_str().to_owned();
        let site = Rc::clone(&self.site);
        Box::pin(async move {
            // In a block of its own, so that the routing inside `call` is covered too.
            let answer = match panics::catch(async { site.call(request).await }).await {
                Ok(answer) => answer.map_into_boxed_body(),
                Err(error) => {
                    let response = error.error_response();
                    let response = in_json(&path, &response).unwrap_or(response);
                    return Err(InternalError::from_response(error, response).into());
                }
            };
            Ok(match in_json(&path, answer.response()) {
                Some(translated) => answer.into_response(translated),
                None => answer,
            })
        })
    }
}
