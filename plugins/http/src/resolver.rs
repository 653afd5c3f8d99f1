//! Resolves names at the moment of connecting and lets only allowed addresses through, so that a
//! name that changes its address after a check gains nothing.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::address::{Network, allowed};

/// The resolver of one connector.
pub(crate) struct Guarded {
    pub(crate) networks: Vec<Network>,
    pub(crate) mapped: Option<SocketAddr>,
}

/// A name that leads only to addresses that the connector does not allow.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) host: String,
    pub(crate) address: IpAddr,
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "`{}` leads to {}, which its connector does not allow; list the range under `addresses` if it is right",
            self.host, self.address
        )
    }
}

impl std::error::Error for Refused {}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let networks = self.networks.clone();
        let mapped = self.mapped;
        Box::pin(async move {
            if let Some(address) = mapped {
                return Ok(Box::new(std::iter::once(address)) as Addrs);
            }
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            let good: Vec<SocketAddr> = found
                .iter()
                .copied()
                .filter(|address| allowed(address.ip(), &networks))
                .collect();
            match (good.is_empty(), found.first()) {
                (true, Some(first)) => Err(Refused {
                    host,
                    address: first.ip(),
                }
                .into()),
                _ => Ok(Box::new(good.into_iter()) as Addrs),
            }
        })
    }
}
