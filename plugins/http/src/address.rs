//! Which addresses may be connected.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::Deserialize;

/// A range of addresses, `10.1.0.0/16`; one address is a range too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// The range of one address.
    #[must_use]
    pub fn one(address: IpAddr) -> Self {
        let address = address.to_canonical();
        let bits = if address.is_ipv4() { 32 } else { 128 };
        Self { address, bits }
    }

    /// True when the address lies in the range. `::ffff:10.1.2.3` is `10.1.2.3`.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let shift = 32 - u32::from(self.bits);
                let cut = |value: Ipv4Addr| u32::from(value).checked_shr(shift).unwrap_or(0);
                cut(network) == cut(address)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let shift = 128 - u32::from(self.bits);
                let cut = |value: Ipv6Addr| u128::from(value).checked_shr(shift).unwrap_or(0);
                cut(network) == cut(address)
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("expected an address or a range such as 10.1.0.0/16, found `{text}`");
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let whole = Self::one(address);
        let Some(bits) = bits else {
            return Ok(whole);
        };
        let bits: u8 = bits.parse().map_err(|_| wrong())?;
        if bits > whole.bits {
            return Err(wrong());
        }
        Ok(Self { bits, ..whole })
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.bits)
    }
}

/// True when a connector may connect to the address. Its own `addresses` decide; without them
/// everything but this machine, the local link and what nobody serves from is allowed, because
/// departments' services stand on private addresses.
pub(crate) fn allowed(address: IpAddr, networks: &[Network]) -> bool {
    if networks.is_empty() {
        return !is_special(address);
    }
    networks.iter().any(|network| network.contains(address))
}

fn is_special(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [first, ..] = v4.octets();
            first == 0
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_broadcast()
                || first >= 240
                // The metadata services of clouds outside 169.254/16.
                || v4 == Ipv4Addr::new(100, 100, 100, 200)
        }
        IpAddr::V6(v6) => {
            let segments = v6.segments();
            v6.is_unspecified()
                || v6.is_loopback()
                || v6.is_multicast()
                || v6.is_unicast_link_local()
                || v6 == Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254)
                || embedded_v4(segments).is_some_and(|v4| is_special(IpAddr::V4(v4)))
        }
    }
}

/// The IPv4 address inside NAT64 (64:ff9b::/96 and 64:ff9b:1::/48), 6to4 (2002::/16), IPv4-translated (::ffff:0:0:0/96) and
/// IPv4-compatible addresses.
fn embedded_v4(segments: [u16; 8]) -> Option<Ipv4Addr> {
    let join = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match segments {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x64, 0xff9b, 1, _, _, _, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0, 0, 0, 0, 0, 0, high, low] => Some(join(high, low)),
        [0x2002, high, low, ..] => Some(join(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_and_the_link_are_refused_unless_listed() {
        for text in [
            "127.0.0.1",
            "127.8.9.10",
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "224.0.0.1",
            "255.255.255.255",
            "250.0.0.1",
            "100.100.100.200",
            "::1",
            "::",
            "fe80::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::7f00:1",
            "::ffff:0:127.0.0.1",
            "2002:7f00:1::",
            "fd00:ec2::254",
        ] {
            let address: IpAddr = text.parse().expect("an address");
            assert!(!allowed(address, &[]), "{text}");
            assert!(
                allowed(address, &[Network::one(address)]),
                "{text} when listed"
            );
        }
        for text in [
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "8.8.8.8",
            "fd12::1",
        ] {
            let address: IpAddr = text.parse().expect("an address");
            assert!(allowed(address, &[]), "{text}");
        }
    }

    #[test]
    fn a_list_allows_nothing_else() {
        let networks = [
            "10.1.0.0/16".parse().expect("a range"),
            "fd12::/32".parse().expect("a range"),
        ];
        for (text, expected) in [
            ("10.1.255.1", true),
            ("::ffff:10.1.255.1", true),
            ("10.2.0.1", false),
            ("8.8.8.8", false),
            ("fd12::77", true),
            ("fd13::77", false),
        ] {
            let address: IpAddr = text.parse().expect("an address");
            assert_eq!(allowed(address, &networks), expected, "{text}");
        }
        let everything: Network = "0.0.0.0/0".parse().expect("a range");
        assert!(everything.contains("8.8.8.8".parse().expect("an address")));
        assert!(!everything.contains("::1".parse().expect("an address")));
    }

    #[test]
    fn bad_ranges_are_refused() {
        for text in ["", "10.1.0.0/33", "10.1.0.0/x", "10.1/16", "host", "::/129"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
