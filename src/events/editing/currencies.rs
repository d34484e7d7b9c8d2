//! The currencies that a concert can be sold in.

/// The codes of ISO 4217 that people pay with: without metals, funds, test codes and units of account.
const CODES: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD \
    CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD \
    HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD \
    MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG \
    QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD \
    TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG";

/// In the order of their codes.
pub fn all() -> impl Iterator<Item = &'static str> {
    CODES.split_whitespace()
}

/// Reads a code.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn read(typed: &str) -> Result<String, String> {
    let code = typed.to_ascii_uppercase();
    if all().any(|it| it == code) { Ok(code) } else { Err("Choose a currency, like USD.".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_in_any_case() {
        assert_eq!(read("usd").as_deref(), Ok("USD"));
        for wrong in ["", "US", "XXX", "XAU", "DOLLAR"] {
            read(wrong).expect_err(wrong);
        }
        assert!(all().is_sorted() && all().all(|code| code.len() == 3));
    }
}
