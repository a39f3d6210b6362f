//! A village's recorder on a real phone: it records for the households of its villages and for no others, knows them by name and not
//! by how they are paid, and follows a household that moves.

use std::path::Path;

use granary_client_core::error::Error;
use granary_client_core::ids::HouseholdId;
use granary_client_core::phone::Phone;
use granary_client_core::projection::LotFilter;
use granary_client_core::schema::access::Role;
use granary_client_core::schema::{DocumentKey, Part, cooperative, household};
use granary_server::access::Principal;
use granary_server::{Config, Server};

use crate::in_a_browser::now;
use crate::world::{lot, lots, season, sync_until};

const LI: HouseholdId = HouseholdId::from_bytes([1; 16]);
const WANG: HouseholdId = HouseholdId::from_bytes([2; 16]);
const ACCOUNT: &str = "bank 6222-0042-1177";

fn move_to(server: &Server, id: HouseholdId, name: &'static str, village: &'static str) {
    let coop = server.granary().cooperatives()[0].number();
    let key = DocumentKey::Household(id);
    server.granary().edit(coop, &key, now(), move |doc| household::set_name(doc, name, village)).unwrap();
}

fn joined(server: &Server, folder: &Path, code: &str, name: &str) -> std::sync::Arc<Phone> {
    let phone = Phone::open(folder).unwrap();
    let link = format!("granary://{}/{code}#{}", server.public_address(), server.fingerprint());
    phone.enrol(&link, name).unwrap();
    phone
}

/// True when a file under the folder has this text.
fn has(folder: &Path, text: &str) -> bool {
    std::fs::read_dir(folder).unwrap().flatten().any(|entry| match entry.file_type().unwrap() {
        kind if kind.is_dir() => has(&entry.path(), text),
        kind if kind.is_file() => {
            std::fs::read(entry.path()).unwrap().windows(text.len()).any(|part| part == text.as_bytes())
        }
        _ => false,
    })
}

fn names(phone: &Phone) -> Vec<String> {
    let listed = phone.people("").unwrap();
    listed.into_iter().map(|one| one.name).collect()
}

#[test]
fn recorder_records_for_two_villages_and_follows_who_lives_there() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = Config::local(folder.path().join("server"), 0);
    let server = runtime.block_on(granary_server::start(config, |fault| panic!("{fault}"))).unwrap();
    let granary = server.granary();
    let coop = granary.create_cooperative("Linxian", now()).unwrap();
    for (code, name) in [("dongpo", "东坡"), ("xipo", "西坡"), ("nanpo", "南坡")] {
        let key = DocumentKey::Cooperative(Part::FIRST);
        granary.edit(coop, &key, now(), move |doc| cooperative::set_village(doc, code, name)).unwrap();
    }
    move_to(&server, LI, "Li Xiuying", "dongpo");
    move_to(&server, WANG, "Wang Shan", "nanpo");
    let pays = DocumentKey::Household(LI);
    granary.edit(coop, &pays, now(), |doc| household::set_payment(doc, ACCOUNT)).unwrap();

    let code = |role| granary.invite(coop, role, 1, now()).unwrap().code;
    let wang = joined(&server, &folder.path().join("wang"), &code(Role::Household(WANG)), "Wang's");
    let of_recorder =
        granary.invite_recorder(Principal::Operator, coop, &["东坡".into(), "xipo".into()], 1, now()).unwrap().code;
    let place = folder.path().join("zhang");
    let zhang = joined(&server, &place, &of_recorder, "Zhang");
    wang.record(WANG, season(), &lot(7_000)).unwrap();
    sync_until(&[&wang, &zhang], || names(&zhang) == ["Li Xiuying"]);
    assert!(lots(&zhang).is_empty(), "Wang lives elsewhere");

    // For Li, who has no phone; not for Wang.
    zhang.record(LI, season(), &lot(1_000)).unwrap();
    assert!(matches!(zhang.record(WANG, season(), &lot(1_000)), Err(Error::NotAllowed)));
    assert!(matches!(zhang.name_household(LI, "Zhang", "dongpo"), Err(Error::NotAllowed)));
    sync_until(&[&zhang], || true);
    let by_name = LotFilter { search: Some("Xiuying".into()), ..LotFilter::default() };
    let row = zhang.lots(&by_name).unwrap().remove(0);
    assert_eq!((row.household_name.as_str(), row.village.as_str()), ("Li Xiuying", "dongpo"));
    assert!(zhang.household_particulars(LI).unwrap().is_none());
    assert!(!has(&place, ACCOUNT), "how a household is paid is nowhere on the phone");

    // Wang moves into the recorder's second village: his book comes, and both record in it.
    move_to(&server, WANG, "Wang Shan", "xipo");
    sync_until(&[&zhang], || lots(&zhang).len() == 2);
    assert_eq!(names(&zhang), ["Li Xiuying", "Wang Shan"]);
    zhang.record(WANG, season(), &lot(2_000)).unwrap();
    sync_until(&[&zhang, &wang], || lots(&wang).len() == 2);

    // Li moves away while the recorder is offline and writes on: that is set aside, and what it knew of her is gone.
    move_to(&server, LI, "Li Xiuying", "nanpo");
    zhang.record(LI, season(), &lot(3_000)).unwrap();
    sync_until(&[&zhang], || names(&zhang) == ["Wang Shan"]);
    assert_eq!(zhang.status().undelivered, 1);
    assert!(matches!(zhang.record(LI, season(), &lot(4_000)), Err(Error::NotAllowed)));
    let delivered = |phone: &Phone| lots(phone).iter().filter(|row| row.held.is_none()).count();
    assert_eq!(delivered(&zhang), 2, "only Wang's");
    assert!(!has(&place, "Li Xiuying"));

    // She is ended in one step, and writes nowhere any more.
    granary.revoke(Principal::Operator, coop, zhang.device().unwrap(), now()).unwrap();
    assert!(zhang.sync_now().is_err());
    assert_eq!((names(&zhang), delivered(&zhang)), (Vec::<String>::new(), 0));
    assert!(!has(&place, "Wang Shan"));
    runtime.block_on(server.stop());
}

/// Whoever weighs in calls people by name, finds them by name, by card and by the number on the sack, and is told nothing of how they
/// are paid.
#[test]
fn packer_knows_households_by_name_and_not_how_they_are_paid() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = Config::local(folder.path().join("server"), 0);
    let server = runtime.block_on(granary_server::start(config, |fault| panic!("{fault}"))).unwrap();
    let granary = server.granary();
    let coop = granary.create_cooperative("Linxian", now()).unwrap();
    move_to(&server, LI, "Li Xiuying", "dongpo");
    move_to(&server, WANG, "Wang Shan", "nanpo");
    granary.edit(coop, &DocumentKey::Household(LI), now(), |doc| household::set_payment(doc, ACCOUNT)).unwrap();
    let code = |role| granary.invite(coop, role, 1, now()).unwrap().code;
    let li = joined(&server, &folder.path().join("li"), &code(Role::Household(LI)), "Li's");
    let place = folder.path().join("packer");
    let packer = joined(&server, &place, &code(Role::Packer), "Scale");
    let recorded = li.record(LI, season(), &lot(7_000)).unwrap();
    sync_until(&[&li, &packer], || lots(&packer).len() == 1);

    let found = |search: &str| {
        let filter = LotFilter { search: Some(search.into()), ..LotFilter::default() };
        let rows = packer.lots(&filter).unwrap().into_iter();
        rows.map(|row| (row.household_name, row.village)).collect::<Vec<_>>()
    };
    let number: String = recorded.to_string().chars().take(7).collect();
    for search in ["Xiuying", &number, &number.to_lowercase()] {
        assert_eq!(found(search), [("Li Xiuying".to_owned(), "dongpo".to_owned())], "{search}");
    }
    assert!(found("Wang").is_empty() && packer.people("").unwrap().is_empty(), "a packer records for nobody");
    assert!(packer.household_particulars(LI).unwrap().is_none() && !has(&place, ACCOUNT));

    // A name that changes is another at the next sync, and the old one is nowhere.
    move_to(&server, LI, "Li Yuying", "nanpo");
    sync_until(&[&packer], || found("Yuying") == [("Li Yuying".to_owned(), "nanpo".to_owned())]);
    assert!(!has(&place, "Li Xiuying"));

    // Whose phone is no packer's any more knows nobody.
    granary.grant(Principal::Operator, coop, packer.device().unwrap(), &[Role::Household(WANG)], now()).unwrap();
    sync_until(&[&packer], || lots(&packer).is_empty());
    assert!(!has(&place, "Li Yuying"));
    runtime.block_on(server.stop());
}
