//! Recorders of villages on the pages of phones and invitations.

use granary_client_core::ids::DeviceId;
use ring::signature::KeyPair;

use super::forms::Two;
use super::*;

#[tokio::test]
async fn recorder_is_invited_for_villages_listed_with_them_and_ended() {
    let two = Two::new().await;
    let page = two.page("/console/phones").await;
    assert!(page.contains("Village recorder") && page.contains("name=\"village\" value=\"xihe\""), "{page}");
    let none = two.world.post("/console/phones/invite", &two.zhang, "role=recorder").await;
    assert!(none.status == 400 && none.page.contains("至少选一个村"), "{}", none.page);
    let invited =
        two.world.post("/console/phones/invite", &two.zhang, "role=recorder&village=dongpo&village=xihe").await;
    let code = code_on(&invited.page);
    let open = two.page("/console/invitations").await;
    assert!(open.contains("Village recorder") && open.contains("records for: 东坡村, 西河村"), "{open}");

    let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
    let public_key: [u8; 32] = pair.public_key().as_ref().try_into().unwrap();
    two.world.granary.enrol(&EnrolRequest { code, public_key, name: "Zhao".into() }, World::now()).unwrap();
    let page = two.page("/console/phones").await;
    assert!(page.contains("records for: 东坡村, 西河村"), "{page}");

    let device = DeviceId::of_public_key(&public_key);
    let ended = two.world.post("/console/phones/revoke", &two.zhang, &format!("device={device}&sure=yes")).await;
    assert!(ended.status < 400, "{}", ended.page);
    let record = two.world.granary.cooperative(two.world.coop).unwrap().device(device).unwrap();
    assert!(record.grants_now().roles.is_empty());
    let found = two.page("/console/phones?search=%E8%A5%BF%E6%B2%B3&state=revoked&role=recorder").await;
    assert!(found.contains(&format!("p-{device}")), "{found}");
    // The wrong button is no loss: it comes back with its villages.
    two.world.post("/console/phones/take-back", &two.zhang, &format!("device={device}&sure=yes")).await;
    assert!(two.page("/console/phones").await.contains("records for: 东坡村, 西河村"));
}
