"""A phone app in Python that checks the bindings against a running server.

Called with two invitation links (a household's and a coordinator's) and a folder."""

import gc
import sys
import threading

import granary


class Observer(granary.PhoneObserver):
    def __init__(self):
        self.sent = threading.Event()
        self.receipts_came = threading.Event()

    def status_changed(self, status):
        if status.unsent == 0 and status.last_success_millis is not None:
            self.sent.set()

    def documents_changed(self, kinds):
        if "receipts" in kinds:
            self.receipts_came.set()


class Raises(granary.PhoneObserver):
    """An app with a fault in its observer."""

    def __init__(self):
        self.called = threading.Event()

    def status_changed(self, status):
        if status.unsent == 0 and status.last_success_millis is not None:
            self.called.set()
        raise RuntimeError("the app has a fault")

    def documents_changed(self, kinds):
        raise RuntimeError("the app has a fault")


def refused(kind, call):
    try:
        call()
    except kind as error:
        assert len(str(error)) > 10, "a sentence"
        return error
    raise AssertionError(f"{kind} was expected")


def warehouse(li, coordinator, lot):
    """What lies in the warehouse: shown, counted, moved, taken back."""
    refused(granary.PhoneError.NotAllowed, lambda: li.stock())
    [received] = [one for one in coordinator.stock("millet").holdings if one.code == lot]
    assert (received.present, received.on_hand, received.allocated, received.grade) == (12_900, 12_900, 0, "A")
    assert coordinator.stock().as_of_millis is not None
    [far] = coordinator.unusual_count(lot, 900)
    assert (far.code, far.field) == ("count-far-from-computed", "grams")
    assert coordinator.unusual_count(received.id, 12_800) == []
    entry = coordinator.count(lot, 12_800)
    coordinator.move_bin(lot, 800, "", "A1")
    assert [one.code for one in coordinator.unusual_taking(lot, 900, "A1")] == ["more-than-there"]
    [counted] = [one for one in coordinator.stock("millet").holdings if one.code == lot]
    assert counted.present == 12_800 and counted.by_bin == {"": 12_100, "A1": 800}
    coordinator.withdraw_entry(entry)
    bought = granary.GoodsIn(product="noodles", grams=5_000, bought_from="Shi", expiry="2026-12-01", day="2026-11-01")
    noodles = coordinator.goods_in(bought)
    coordinator.loss(noodles, 400, "wet", "")
    coordinator.recall(noodles, "mould")
    [held] = coordinator.stock("noodles").holdings
    assert (held.id, held.present, held.is_recalled) == (noodles, 4_600, True)
    for bad in [
        lambda: coordinator.count(lot, -1),
        lambda: coordinator.count("7KQ2-M9XT", 1),
        lambda: coordinator.move_bin(lot, 0, "", "A1"),
        lambda: coordinator.goods_in(granary.GoodsIn(product="", grams=1)),
        lambda: coordinator.stream_left("Not a code"),
        lambda: coordinator.stream_left("eleven"),
    ]:
        refused(granary.PhoneError.Invalid, bad)
    assert coordinator.skus() == []


def main(household_link, coordinator_link, folder):
    li = granary.GranaryPhone.open(folder + "/li")
    draft = granary.LotDraft(product="millet", grams=12_500, day="2026-10-03", grade="A", note="东坡地")
    refused(granary.PhoneError.NotEnrolled, lambda: li.record(draft))
    refused(granary.PhoneError.Invalid, lambda: li.enrol("not an invitation", "li"))
    li.enrol(household_link, "li")
    assert li.cooperative_name() == "Linxian" and li.household() is not None

    # Recorded offline; listed at once.
    lot = li.record(draft)
    rows = li.lots(granary.LotFilter())
    assert [(row.id, row.grams, row.note) for row in rows] == [(lot, 12_500, "东坡地")]
    assert li.status().unsent > 0
    bad_weight = granary.LotDraft(product="millet", grams=-4, day="2026-10-03")
    assert "weight" in str(refused(granary.PhoneError.Invalid, lambda: li.record(bad_weight)))
    bad_day = granary.LotDraft(product="millet", grams=4, day="3 October")
    refused(granary.PhoneError.Invalid, lambda: li.record(bad_day))

    # The same folder is the same phone, with its background sync.
    again = granary.GranaryPhone.open(folder + "/../" + folder.rsplit("/", 1)[1] + "/li")
    second = again.record(granary.LotDraft(product="beans", grams=1_000, day="2026-10-03"))
    assert second != lot and len(li.lots(granary.LotFilter())) == 2
    li.withdraw(second)
    del again
    assert len(li.lots(granary.LotFilter())) == 1
    assert li.set_aside() == [] and li.recover().files == []

    # A locked store opens only with its key.
    key = bytes(range(32))
    refused(granary.PhoneError.Invalid, lambda: granary.GranaryPhone.open_locked(folder + "/locked", key[1:]))
    locked = granary.GranaryPhone.open_locked(folder + "/locked", key)
    refused(granary.PhoneError.Locked, lambda: granary.GranaryPhone.open(folder + "/locked"))
    del locked
    gc.collect()
    refused(granary.PhoneError.Locked, lambda: granary.GranaryPhone.open(folder + "/locked"))
    refused(granary.PhoneError.Locked, lambda: granary.GranaryPhone.open_locked(folder + "/locked", key[::-1]))

    # An observer that raises ends nothing, and the status shows it.
    raising = Raises()
    li.start(raising)
    assert raising.called.wait(60), li.status()
    li.stop()
    assert "observer" in li.status().observer_error and li.status().last_error is None
    li.correct(lot, [granary.LotEdit.QUANTITY(12_600)])

    # The background thread sends it and notifies the app.
    watching = Observer()
    li.start(watching)
    assert watching.sent.wait(60), li.status()
    li.correct(lot, [granary.LotEdit.QUANTITY(13_000), granary.LotEdit.NOTE("东坡地，重称")])

    coordinator = granary.GranaryPhone.open(folder + "/coordinator")
    coordinator.enrol(coordinator_link, "coordinator")
    seen = []
    for _ in range(600):
        coordinator.sync_now()
        seen = coordinator.lots(granary.LotFilter(product="millet"))
        if seen and seen[0].grams == 13_000:
            break
        threading.Event().wait(0.05)
    assert seen[0].id == lot and seen[0].grams == 13_000, seen
    totals = coordinator.totals(granary.LotFilter())
    assert [(total.product, total.recorded_grams) for total in totals] == [("millet", 13_000)]

    # The warehouse's receipt arrives, and the callback reports it.
    coordinator.receive(lot, granary.Receipt.RECEIVED(weighed_grams=12_900, grade="A"), "2026-10-05")
    warehouse(li, coordinator, lot)
    coordinator.sync_now()
    for _ in range(600):
        li.sync_soon()
        if watching.receipts_came.wait(0.1):
            break
    row = li.lots(granary.LotFilter())[0]
    assert (row.state, row.weighed_grams) == (granary.LotState.RECEIVED, 12_900)
    refused(granary.PhoneError.NotAllowed, lambda: li.receive(lot, granary.Receipt.REJECTED("wet"), "2026-10-05"))
    li.withdraw(lot)
    assert li.lots(granary.LotFilter()) == []
    refused(granary.PhoneError.Invalid, lambda: li.correct(lot, [granary.LotEdit.NOTE("late")]))
    li.stop()

    # Without a network, another phone imports its outbox file.
    exported = li.record(granary.LotDraft(product="chilli", grams=3_000, day="2026-10-06"))
    file = li.export_outbox()
    refused(granary.PhoneError.Invalid, lambda: coordinator.import_outbox_file(file[:40]))
    coordinator.import_outbox_file(file)
    for _ in range(600):
        coordinator.sync_now()
        if [lot.id for lot in coordinator.lots(granary.LotFilter(product="chilli"))] == [exported]:
            break
        threading.Event().wait(0.05)
    else:
        raise AssertionError("the outbox file did not arrive")
    print("all of it works from Python")


main(*sys.argv[1:])
