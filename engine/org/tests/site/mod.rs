//! The sample site, read from the repository's own `config/`.

use tongban_org::{CalendarFile, Organisation, OrganisationFile};

pub fn file() -> OrganisationFile {
    serde_yaml::from_str(include_str!("../../../../config/organisation.yaml"))
        .expect("the sample site is well formed")
}

pub fn calendars() -> Vec<CalendarFile> {
    [
        include_str!("../../../../config/calendars/china.yaml"),
        include_str!("../../../../config/calendars/china-2025.yaml"),
        include_str!("../../../../config/calendars/china-2026.yaml"),
        include_str!("../../../../config/calendars/china-2027.yaml"),
    ]
    .into_iter()
    .map(|text| serde_yaml::from_str(text).expect("the calendar is well formed"))
    .collect()
}

pub fn organisation() -> Organisation {
    Organisation::build(&file(), &calendars()).expect("the sample site has no faults")
}
