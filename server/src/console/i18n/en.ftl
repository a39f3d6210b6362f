# The console's words in English.
skip = To the content
navigation = Parts of the console
sign-in = Sign in
sign-out = Sign out
sign-out-everywhere = Sign out everywhere
sign-in-help = The operator of this server makes accounts and new passwords with “granary coordinator add”.
sign-in-wrong = The login or the password is wrong.
sign-in-too-often = Too many attempts. Wait some minutes, then try again.
link-used = This link was used already, or it is too old. Sign in with your password.
cooperative-number = Co-operative's number
login = Login
password = Password
refused = This did not work
back-to-overview = Back to the overview
not-found = There is nothing at this address, or it is not your co-operative's.
server-failed = The server failed. Nothing was changed; try again later.
form-too-large = The form is too large. Nothing was changed.
form-not-yours = This form is out of date or not from this site. Nothing was changed; open the page again.
unsent-form = You were signed out before this was sent, so nothing was saved. Look at it once more and send it.
unsent-sign-in = You were signed out before this was sent, and nothing was saved. Sign in again: what you typed comes back.
form-field-wrong = A field of the form can't be read. Nothing was changed.
field-wrong = { $field }: { $why }. Nothing was changed.
nothing-changed = { $why }. Nothing was changed.
edit-does-harm = This was not saved: it would harm the document.
yuan-per-kg = ¥ / kg
unit-kg = kg
operator = operator
the-server = the server
detail-everywhere = everywhere
detail-by-link = by a link
detail-by-certificate = by its certificate
lists-behind = The lists are { $count ->
    [one] { $count } document
   *[other] { $count } documents
} behind; they catch up by themselves.
live-new = There are new changes.
live-lost = The live connection is lost; the page shows what was there when it was loaded.
damaged = can't be read
somebody = somebody who is not known here
never-heard = never heard of
all = All
show = Show
save = Save
add = Add
search = Search
search-hint = Household, place, note, lot number
pages = Pages
page-before = Previous
page-after = Next
page-of = Page { $page } of { $pages }
part-overview = Overview
part-harvests = Harvests
part-cases = Disagreements
part-orders = Orders
part-catalogue = Catalogue
part-households = Households
part-phones = Phones
part-export = Export
orders-incomplete = This server was restored from a backup, and may lack orders. Shops that ask before they sell are told to try later. Once the platforms' exports of that time were taken in again, the operator says so: granary orders complete
overview-recorded = Recorded
overview-received = Received
overview-lots = Lots
overview-open-cases = To settle
overview-to-pack = Orders to pack
overview-households = Households
overview-by-product = By product
overview-by-village = By village
overview-by-day = By day
overview-latest = Latest lots
overview-silent = Phones not heard from in { $days ->
    [one] { $days } day
   *[other] { $days } days
}
overview-none-silent = Every phone was heard from.
overview-all-phones = All phones
chart-legend = Filled: received, as weighed. Outline: recorded by the households.
settlements-lost = { $count ->
    [one] One of your settlements was made at the same time as another person's, and the other one counts.
   *[other] { $count } of your settlements were made at the same time as another person's, and the other one counts.
}
look-at-them = Look at them
product = Product
village = Village
state = State
from-day = From
to-day = To
sort = Sort by
sort-day = Day
sort-weight = Weight
sort-household = Household
sort-product = Product
only-conflicts = Only edited at once
lots-found = Lots: { $count }.
no-lots = No lots fit this filter.
day = Day
household = Household
grade = Grade
recorded = Recorded
weighed = Weighed
note = Note
place = Place
weight = Weight
edited-at-once = edited at once
state-recorded = Recorded
state-received = Received
state-rejected = Rejected
lot-merged = This lot was found to repeat another one and no longer counts.
lot-merged-into = The lot that counts
lot-number = Lot number
lot-ambiguous = This number fits several lots, so nothing was changed. Which one is meant?
lot-recorded = What the household says
lot-receipt = What the warehouse says
lot-history = History
weight-kg = Weight in kg
weighed-kg = Weighed, in kg
moisture-percent = Moisture in %
receipt-outcome = Outcome
reject-reason = Why it was rejected
save-receipt = Save the receipt
receipt-help = The receipt is the warehouse's own document; a household's phone can't write it.
reason-missing = A rejected lot needs a reason. Nothing was changed.
history-what = What
history-who = Who, from which phone
history-written = Written on the phone
history-came = Received by the server
history-recorded = Recorded
history-changes = Values
history-chosen = chosen among the values that were there
history-corrected = Corrected
history-settled = Settled
history-withdrawn = Withdrawn
history-weighed = Warehouse
field-product = Product
field-grams = Weight
field-grade = Grade
field-moisture = Moisture
field-day = Day
field-place = Place
field-note = Note
field-merged = Merged into
field-state = State
field-reason = Reason
field-receipt = Weighing
field-photos = Photos
cases-open = To settle
cases-twice = Settled twice at once
cases-left = Left as they are
cases-settled = Settled
no-cases-open = Nothing disagrees.
no-cases-twice = No two people have settled one case at the same time.
no-cases-left = Nothing was left as it is.
no-cases-settled = Nothing was settled yet.
kind = Kind
kind-field = A field edited at once
kind-twice = One harvest recorded twice
kind-weight = More weighed than recorded
kind-receipt = Weighings at once
unusual-lots = Unusual lots
unusual-help = The product, grade, day or weight of these lots is unusual. Somebody confirmed it, or was not asked. Look whether it is a slip.
unusual-what = What is unusual
no-unusual = No lot is unusual.
unusual-title = Is this right?
unusual-ask = Nothing was saved yet. Is this right? If it is no slip, press the button once more.
unusual-confirm = It is right: { $action }
unusual-back = Back, without saving
case-field = { $field } was edited on several phones at once.
case-twice = This harvest seems to be recorded twice.
case-weight = The warehouse weighed { $weight } more than was recorded.
case-receipt = Several people weighed this lot at once, and not alike.
case-order = This order stands in two states at once.
case-decided = Somebody else has decided this meanwhile. Nothing was changed.
rule-for-all = One rule for all of these (cases: { $count }):
rule-latest = Take the latest value for all of these
rule-older = Keep the older lot of each pair
rule-warehouse = Take the warehouse's weighing
choose-value = Which value counts?
choose-lot = Which lot stays?
another-value = Another value
another-weight = Another weight, in kg
another-grade = Grade of another weight
weight-after-merge = Weight of the one lot in kg, if it differs
value-missing = Choose a value, or type another one. Nothing was changed.
settle = Settle
merge-lots = Make them one lot
leave-with-note = Leave it, with this note
this-one-won = counts
undo = Undo
order = Order
buyer = Buyer
price = Price
no-orders = There are no orders here.
order-placed = To pack
order-packed = Packed
order-shipped = Shipped
order-cancelled = Cancelled
products = Products
promotions = Live-stream promotions
name-zh = Name in Chinese
name-en = Name in English
price-edited-at-once = Edited at once; the price that you save counts:
price-of-grade = Grade { $grade }, ¥ / kg
price-from = from { $day }
another-price = Another price
new-product = New product
code = Code
new-promotion = New promotion
promotion-title = Title
stream-day = Day of the stream
another-offer = Another offer
no-products = There is no product yet. Add the first one: households choose among them when they record a harvest.
no-promotions = No promotion is coming up.
no-prices = There is no price yet: what households bring is not worth anything until there is one.
no-offers = Nothing is offered in it yet.
products-ended = Products that are not taken any more
promotions-past = Past promotions, and those that were called off
offers = Offers
price-today = Price today
price-next = Next price
price-history = Prices and their days
price-chart = Prices by grade and day; the table and the text below say the same.
price-chart-says = The price of a kilogram by grade, { $days }:
price-until = until { $day }
price-called-off = called off
price-upcoming = to come
price-holds = holds today
price-replaced = replaced by a later one
from-the-beginning = from the beginning
last-day = Last day
tolerance = Surplus that is tolerated, %
tolerance-help = When the warehouse weighs more than was recorded, by more than this share, it is a disagreement. Empty: the usual share.
product-offered = Taken
product-ends = Taken until { $day }
product-ended = Not taken since { $day }
promotion-upcoming = To come
promotion-over = Over
promotion-ended = Called off since { $day }
offer-ended = Taken back since { $day }
offer-taken = This product is offered in it already; change that offer. Nothing was changed.
end-product = Take it no more
end-product-help = From that day on, phones offer it for no new harvest. Old harvests keep its name, and its prices go on for them.
end-price = End
end-price-help = A price that is ended holds on its last day and not after it: what comes in later has no price until there is another one. One that is ended before its first day is called off.
end-promotion = Call it off
end-promotion-help = It stays in the list of past promotions, with what was offered.
end-offer = Take back
take-up-again = Take up again
code-help = The code stays for ever and stands in files: small letters, digits and hyphens, such as “millet”. The names can be changed.
code-takes = Small letters, digits and hyphens, 1 to { $most } of them, such as “millet”
code-wrong = A code has small letters, digits and hyphens, at most 40. Nothing was changed.
grade-wrong = A grade has 1 to 32 characters and no @. Nothing was changed.
day-wrong = A day is written as year-month-day, such as 2026-10-03. Nothing was changed.
households-found = Households: { $count }.
no-households = No household fits.
members = Members
lots = Lots
invite = Invite a phone
add-household = Add a household
name = Name
payment = How it is paid
add-member = Add a member
no-members = No members are noted.
lots-of-household = Its lots
sheet = Printable invitations
sheet-help = One page of paper for each household, { $most } at a time; the next follow by a button. Each invitation works once, for 14 days.
sheet-make = Make the sheet
sheet-print = Print this page; each household has a page of its own. The invitations are made now and are not shown again.
invitation = Invitation
invitation-help = Scan this with the phone, or type the line below it. It works once, for 14 days.
invitation-this-machine = Or in a browser of the server’s own machine:
invitation-no-browser = A browser can be a phone too, once this server has a certificate that browsers trust; its operator finds how in docs/OPERATIONS.md.
no-phones = No phone has enrolled yet. Invite a household from its page, or print a sheet of invitations on the page of households.
phone = Phone
role = Role
role-coordinator = Coordinator
role-packer = Packer
role-household = Household
last-heard = Last heard of
version = Version
waiting = Waiting to be sent
revoked = revoked
revoke = Revoke
sure = I am sure
invite-staff = Invite a coordinator or a packer
export-help = For Excel and other programs. Lots can also be exported with a filter, from the list of harvests.
export-lots = Lots
export-orders = Orders
export-cases = Disagreements and how they were settled
export-households = Households
export-audit = Audit log
column-id = id
column-payment = How it is paid
column-members = Members
column-household = Household
column-village = Village
column-season = Season
column-lot = Lot number
column-product = Product
column-kg = Weight (kg)
column-grade = Grade
column-moisture = Moisture (%)
column-day = Day
column-place = Place
column-note = Note
column-state = State
column-weighed = Weighed (kg)
column-reason = Reason
column-recorded-by = Recorded by
column-platform = Platform
column-order = Order
column-buyer = Buyer
column-yuan = Price (yuan)
column-shipment = Shipment
column-kind = Kind
column-field = Field
column-values = Values
column-who = Who
column-when = When
column-chosen = Chosen
column-deed = What
column-detail = Of what
deed-signed-in = signed in
deed-sign-in-failed = sign-in failed
deed-signed-out = signed out
deed-account-made = account made or changed
deed-password-changed = password changed
deed-invited = invited
deed-enrolled = enrolled
deed-reinstated = came back
deed-granted = roles changed
deed-revoked = revoked
deed-exported = exported
deed-imported = imported
deed-api-key-made = made an API key
deed-api-key-revoked = revoked an API key
deed-webhook-set = set a webhook
deed-webhook-removed = removed a webhook
deed-told-backwards = left orders as they are: what was told of them is older
import = Import
import-help = An Excel workbook (its first sheet), or a CSV file in UTF-8, UTF-16 or GB18030. You see first what would change; nothing is taken before you confirm, and never a part of it.
import-households = households, with the name or the code of a village, or nothing while they have none
import-products = products, with prices in yuan for each kilogram by grade
file = File
preview = Preview
row = Row
import-what = What happens
import-summary = Changes: { $changes }. Errors: { $errors }.
import-nothing-yet = Nothing was imported. Put the rows with errors right and choose the file again.
import-confirm = Import these (changes: { $changes })
another-file = Another file
import-new = new
import-change = change
import-same = as it is
import-wrong = error
import-households-by-id = households, each named by its id (the export of households has it)
import-ignored = These columns are not taken: { $heads }
import-questions = Rows with a namesake: { $count }. Look at each: is it another household, or one that is here already?
import-choice-new = another household of this name
import-choice-same = the household that is here: { $village }, lots: { $lots }
import-choice-move = it is “{ $name }” here ({ $village }, lots: { $lots }), which gets this row's name and village
import-choice-skip = the same household as an earlier row: leave it out
import-unknown-id = there is no household with this id
import-same-id = an earlier row has this id
import-changed-meanwhile = what was chosen for this row no longer fits; choose the file again
file-no-text = The file is no Excel workbook and no text in UTF-8, UTF-16 or GB18030. Nothing was imported.
file-wrong = { $why }. Nothing was imported.
import-lots-csv = A list of lots is compared from its CSV file: an Excel sheet has its days as numbers. Nothing was imported.
file-head-twice = The head “{ $head }” stands over two columns. Nothing was imported.
file-no-head = Row { $row } has something in a column without a head. Nothing was imported.
cut-mark = … (the rest is cut off)
import-no-village = no village has the name or the code “{ $village }”
import-twice = the same stands in row { $row } already
import-price-wrong = the price of grade { $grade }: { $why }
file-too-large = The file is too large: at most 80 kB and 1,000 rows. Nothing was imported.
file-unreadable = The file can't be read as CSV. Nothing was imported.
file-heads-wrong = The first row must be “name,village” or “code,zh,en” and grades. Nothing was imported.
phone-forked = Two phones send under this name: copied, set back to an older state, or its key was stolen

# Households, phones, invitations, files
search-households-hint = Name, member or id
no-village = no village yet
without-village = without a village
village-later = The village can be chosen later.
household-phone-with = with a phone
household-phone-without = without a phone
households-sort-village = Village
households-sort-name = Name
households-sort-lots = Most lots
households-sort-weight = Most weight
phones-of-household = { $count ->
    [one] { $count } phone
   *[other] { $count } phones
}
household-name-it = Nobody has named this household yet: its phone enrolled before that. Give it a name and a village here.
# The frame
more = More
account = My account
trail = Where this is
find = Find
find-help = A household by its name or in pinyin (fan xiu ying, fxy), a product, a lot's number, an order. “樊秀英 小米” finds her millet.
nothing-found = Nothing fits “{ $question }”.
close = Close
keys = Keys
key-search = find
key-move = next, previous
key-open = open
key-choose = choose
key-do = decide
key-undo = undo
key-tick = tick
key-help = this help
done-saved = Saved.
done-settled = Settled.
done-left = Left as it is.
done-undone = Undone.
# Keys and webhooks
part-api = Keys and webhooks
api = Keys and webhooks
api-help = A shop's program brings orders and reads stock by a key, and is told what happens at its webhook.
api-docs = What programs can call
api-keys = Keys
api-no-keys = No key was made yet.
api-add-key = New key
api-name = Name of the program
api-own-platform = Or a platform of your own: its code, in small letters and digits
api-scopes = May
api-scope-orders-write = bring orders and call them off
api-scope-orders-read = read orders
api-scope-stock-read = read stock and what is left
api-scope-ship-read = read shipments
api-scope-pools-write = say how many packs are wanted
api-made = Made
api-used = Last used
api-never-used = never
api-revoke = Revoke
api-key-made = This is the key. It is shown this once: copy it into the program now.
api-webhooks = Webhooks
api-no-webhooks = No webhook was set yet.
api-add-webhook = New webhook
api-url = Address, such as https://shop.example/granary
api-events = Is told of
api-event-order-changed = orders that change
api-event-pool-changed = what is left
api-no-event = Choose what it is told of. Nothing was changed.
api-no-scope = Tick what the program may do. Nothing was changed.
api-webhook-made = This is the secret that signs. It is shown this once: copy it into the program now.
api-rotate = New secret
api-rotated = This is the new secret, shown this once. The one before signs beside it for a week.
api-test = Send a test
api-sent = On its way. If it does not arrive, it stands with the webhook, with the reason.
api-waiting = These wait. What could not be delivered goes again after a minute, then after twice as long, for a day.
api-waiting-list = Still to be sent
api-waiting-first = Shown: the first { $count }.
api-next = Next try
api-not-tried = not tried yet
api-delivery-test = test
api-subject-order = order { $name }
api-subject-pool = channel { $name }
api-remove = Remove
api-of-key = made by the key
api-dead = { $count ->
    [one] { $count } delivery was
   *[other] { $count } deliveries were
} given up after a day.
api-dead-list = Given up
api-what = What
api-since = Since
api-fault = Why
api-again = Send again
part-unusual = Unusual lots
part-invitations = Invitations
part-coordinators = Coordinators
part-cooperative = The co-operative
part-import = Import
merged-lot-received = The lot that would go was received by the warehouse, and would not be paid any more. Keep that one. Nothing was changed.
price-since-today = A price that you change holds from today on. What was received before keeps its price.
price-since-beginning = It was wrong from its beginning: change it for what was received before, too
price-is-past = This price has been replaced by a later one. Tick that it was wrong from its beginning, or change the later one. Nothing was changed.
written-last-by = written last by { $who }
ticked-ask = Ask about the ticked lots
ticked-ones = the ticked ones
tick-all = Tick all on this page
tick-lot = Tick lot { $lot }
actions = What can be done
filter = Filter
views = Kept views
view-keep = Keep this view
view-drop = Drop the view { $name }
view-name-wrong = A view has a name of at most 40 letters.
overview-needs-me = What needs you
overview-since-yesterday = What came
overview-arrived = New lots since yesterday
overview-arrived-of = { $weight } of { $households ->
    [one] { $households } household
   *[other] { $households } households
}
overview-week = Harvested in 7 days
overview-week-received = Of it received
overview-week-before = the 7 days before: { $weight }
overview-all = The season
overview-no-days = No lot of the last weeks.
chart-table = As a table
sheet-who = For whom
sheet-who-without = households without a phone
sheet-who-all = all households
sheet-end = End earlier open invitations of these households
sheet-nobody = No household fits: all have a phone, or the village has none.
sheet-shown = Households { $from } to { $to } of { $all }.
sheet-next = Make the next ones
invite-open = Open this address in the phone's browser:
invite-type = Type this code there:
invite-scan = Or scan this instead of typing:
invite-app = In the Granary app, scan this
invite-once = The invitation works once, for 14 days. Small letters, missing hyphens and O for 0 do no harm.
invitations-found = Invitations: { $count }.
no-invitation-fits = No invitation fits.
search-invitations-hint = Household, person or id
end-invitations = { $count ->
    [one] End the one invitation of this list
   *[other] End all { $count } invitations of this list
}
end-invitations-now = End them
import-villages = Villages that a file can name, with their codes: { $count }
import-no-villages = There is no village yet.
import-unknown-villages = The file names villages that are not known here. Add them, or mend the file.
import-unknown-village = “{ $village }”, row { $rows }
column-household-id = Household's id
column-lot-id = Lot's id
column-weighed-grade = Warehouse's grade
column-weighed-day = Received on
column-worth = Worth (yuan)
phones-found = Phones: { $count }.
no-phone-fits = No phone fits.
search-phones-hint = Household, person, phone or id
phone-whose = Whose
phone-silent = Not heard of
phone-silent-days = for { $days ->
    [one] { $days } day
   *[other] { $days } days
} or more
phones-active = in use
phones-revoked = revoked
phones-sort-whose = By household and person
phones-sort-silent = Longest silent first
phones-sort-unsent = Most waiting first
phones-sort-aside = Most set aside first
phones-sort-enrolled = Newest first
household-no-phone = This household has no phone yet.
household-no-lots = No lots yet.
owed-so-far = Owed so far
owed-how = The warehouse's weight at the price of its grade on the day it was received.
owed-advances = Lots { $worth }, less { $advances } paid in advance.
owed-not-weighed = Not weighed yet: { $count }.
owed-without-price = Received lots without a price, which are not in the sum: { $count }. Their product and grade have no price on that day.
lots-of-season = Lots of { $season }
lots-in-list = In the list of harvests
lots-first = Shown: the first { $shown } of { $count }; the list of harvests has all.
cases-first = Shown: the first { $shown } of { $count }.
price-per-kilogram = Price per kg
worth = Worth
particulars = Particulars
payment-empty = Empty: it is not settled how this household is paid.
payment-cleared = It is not settled how this household is paid. Before that was cleared: { $payment }
put-back = Put back
members-left = Former members
member-left = until { $day }
member-out = Take out
member-in = Take in again

# Who may act
access-ended = Your access was ended. Nothing was changed; sign in again.
link-help = This link signs you in once.
coordinators = Coordinators
this-is-you = you
remove-coordinator = Remove
remove-coordinator-help = Whoever is removed can't sign in any more, at once: their sessions, links, open invitations and phones end. What they wrote stays, under their name, or under the mark of their id where the name is erased.
erase-name = Erase the name too: there is no way back
not-yourself = You can't remove yourself. Another coordinator or the operator can.
phones-of-nobody = Coordinators' phones that belong to none of them; revoke those that you don't know:
phone-of = of { $name }
whose-phone = Whose phone
whose-phone-help = A phone of a person ends with that person. A coordinator's phone must be somebody's; a packer's phone in the warehouse usually is nobody's.
invitations = Invitations
no-invitations = No invitation was made yet. Invite a household from its page, or print a sheet of invitations on the page of households.
invited-whom = For
invited-by = Made by
invited-when = Made
invited-until = Works until
invited-state = State
invitation-state-open = open
invitation-state-used = used
invitation-state-withdrawn = withdrawn
invitation-state-void = void: access of the person was ended
invitation-state-expired = too old
withdraw-invitation = Withdraw
deed-coordinator-removed = coordinator removed
deed-invitation-withdrawn = invitation withdrawn
page-behind = This page may be behind: it does not show yet what you just saved. It was saved. Nothing can be changed here until it shows; the page loads itself again.
too-many-pages = Too many pages are open at once. Close some, and load this one again.
part-set-aside = Set aside
set-aside-what = What phones sent and the co-operative does not have: it did harm, or the phone may not write there, or was revoked. Take it in as the phone wrote it, or refuse it for good. The phone shows these lots as not taken in.
set-aside-in-the-name-of = Given back by { $device }, unverified: in the name of { $authors }. Take it in only if you know that it was so.
set-aside-none = Nothing is set aside.
set-aside-link = { $count } set aside
set-aside-changes = { $count ->
    [one] { $count } change
   *[other] { $count } changes
}
set-aside-why = Why:
set-aside-until = Kept here until { $until }. After that only the phone has it, marked as not taken in.
no-room = The server's disk is nearly full. Nothing new is taken until whoever runs the server makes room; it waits on the phones. Reading, exporting, signing in and revoking go on.
phone-share-used = its share of the disk is used up
set-aside-take-in = Take in
set-aside-refuse = Refuse
phone-take-back = Take back in
password-present = Present password
password-new = New password
password-again = New password again
password-change = Change the password
password-help = All other browsers in which you are signed in, your open sign-in links and your open invitations end. This browser goes on.
password-differs = The new password was not typed the same both times. Nothing was changed.
password-not-yours = The present password is another one. Nothing was changed.
password-short = A password has at least 10 characters.
password-long = This password is too long.
password-spaces = A password does not begin or end with a space.
password-common = Many people use this password. Take three words that do not belong together.
second-factor = Second factor
second-help = An authenticator app on your phone reads this picture and shows a new code of six digits every half minute. You type it when you sign in, beside the password: whoever only knows the password stays out.
second-secret = Or type this into the app:
second-code = Code from your app
second-code-if = (if you set up a second factor)
second-set = Set up the second factor
second-after = All other browsers in which you are signed in, your open sign-in links and your open invitations end. If you lose the app, the operator of this server takes the second factor away with “granary coordinator clear-second-factor”.
second-is-set = You have a second factor. What you set up here takes its place.
second-was-set = The second factor is set up. From now on you type a code of your app when you sign in.
second-too-old = This was shown too long ago. Read the new picture with your app.
second-demanded = Your co-operative demands a second factor of every coordinator. Set it up, then go on.
second-code-missing = This account also asks for the code from your app. Type it beside the password.
second-code-wrong = The code is wrong, or it was used already. Wait for the next one; is the clock of your phone right?
second-has = second factor
second-demand = Demand a second factor of every coordinator
second-demand-no-more = Demand it no more
second-demanded-of-all = A second factor is demanded of every coordinator.
second-demand-help = Whoever has none sets one up at their next page, and can do nothing else before.
second-yours-first = Set up your own second factor first, so that you do not lock yourself out.
deed-second-factor-set = second factor set up
deed-second-factor-cleared = second factor taken away
deed-second-factor-demanded = second factor demanded of all

erase = Erase for good
erase-household = Erase this household
erase-buyer = Erase the buyer
erase-what = Somebody may ask that what is about them is erased. It goes out of the log, the lists, exports and later backups, and phones forget it at their next sync. There is no way back.
erase-goes = What goes
erase-stays = What stays, with ids and amounts, as accounts must
erase-phone-name = The name of phone
erase-advances = { $count ->
    [one] It holds { $count } advance. Accounts are kept by law: write it down first.
   *[other] It holds { $count } advances. Accounts are kept by law: write them down first.
}
erase-books = Its lots and the decisions about them too, of every season, with their notes
erase-type-id = To confirm, type the id:
erase-backups = Backups made before hold it until they are deleted, and a phone that never syncs again keeps it. Start the server anew soon: it then writes its store anew.
erase-other-id = That is another id; nothing was erased.
erased-person = erased person { $id }
deed-erased = erased
doer-operator = operator
doer-unknown-login = somebody without an account
# Forms
changed-meanwhile = Somebody else changed this meanwhile: it is “{ $now }” now. What you typed is still here; save again to put it in its place. Nothing was changed.
case-changed = This changed meanwhile. Look at it as it is now, and decide again. Nothing was changed.
not-sure = Tick “I am sure” first. Nothing was changed.
code-taken = This code is there already. Nothing was changed.
price-taken = There is a price of this grade and day already; change that one. Nothing was changed.
outcome-missing = Choose whether it was received or rejected. Nothing was changed.
receipt-day = Day it came in (empty: today)
password-changed = Your password was changed. All other browsers in which you were signed in are signed out.

# The co-operative
cooperative = The co-operative
villages = Villages
villages-help = A household belongs to a village. Files of households name villages by their codes or names.
villages-first = There is no village yet: add one first.
places = Collecting places
places-help = Where households bring what they harvest.
announcements = Announcements
announcement = New announcement
announce = Announce
cooperative-details = Name and how it is reached
cooperative-phone = Telephone for households
cooperative-address = Address
cooperative-about = What else a household needs to know
cooperative-details-help = Phones show this beside the prices, such as when the warehouse is open.
seasons = Seasons
seasons-help = A season is a year, the one in which it ends. It is the present one from its first day until the next one begins: phones ask back about a harvest of another season.
season-present = The present season:
season-of = { $year }
season-year = Year
season-from = First day
season-name = Called
season-wrong = A season is a year between 2000 and 2999. Nothing was changed.
season-taken = This season is here already; change its first day. Nothing was changed.
season-far = A season begins in its own year or in the one before. Nothing was changed.

# Recorders and cards
cards = Cards for households without a phone
cards-help = A card shows which household it is: a recorder or coordinator scans it with the app, or types its number, and records for that household. It is no key and opens nothing.
cards-for = For
cards-without-phone = those without a phone
cards-make = Make cards
cards-print = { $count ->
    [one] { $count } card
   *[other] { $count } cards
}, eight on a sheet of A4. Print this page, and cut along the lines.
card-help = Show this card when you bring your harvest.
card-of-household = Its card
recorded-by = Recorded by
recorded-for = { $name }, for the household
role-recorder = Village recorder
records-for = records for: { $villages }
recorder-villages = A recorder’s villages
recorder-villages-help = A recorder reads and writes the harvest books of these villages’ households, and nothing else: no payment account, no order.
recorder-no-villages = There are no villages yet; add them on the co-operative’s page.
recorder-villages-missing = Choose at least one village for the recorder.
recorder-villages-change = Change villages
list-comma = { ", " }
# The activity
part-activity = Activity
history = What was done
who = Who
when = When
what = What
before = Before
after = After
activity-kind = Kind
activity-thing = About
activity-found = Entries: { $count }
activity-all = { $count ->
    [one] The one entry
   *[other] All { $count } entries
}
no-lots-yet = Nothing was recorded yet. Households record on their phones: add and invite them first.
no-households-yet = There is no household yet. Add the first one below, or import a file of all of them.
no-orders-yet = There is no order yet. Import the order files that the platform exports, or let a shop's program bring orders by a key of its own.
no-activity = Nothing of this was done yet.
activity-price = Price
activity-product = Product
activity-promotion = Promotion
activity-payment = Payment
activity-household = Household
activity-cooperative = Co-operative
activity-order = Order
activity-decision = Disagreement
activity-lot = Lot corrected
activity-receipt = Receipt
activity-phones = Phones and roles
activity-accounts = Accounts and sign-ins
activity-api = Keys and webhooks
activity-apart = Set aside, looked at
activity-files = Exports and imports
activity-erased = Erased
activity-field-zh = name in Chinese
activity-field-en = name in English
activity-field-ended = taken no more from
activity-field-tolerance = tolerated surplus
activity-field-title = title
activity-field-day = day
activity-field-name = name
activity-field-village = village
activity-field-place = collecting place
activity-field-member = member
activity-field-payment = account
activity-field-advance = advance
activity-field-phone = telephone
activity-field-address = address
activity-field-about = what households need to know
activity-field-announcement = announcement
activity-field-season = season
activity-field-from = first day
activity-field-status = state
activity-field-shipment = shipment
column-what = What
column-thing = About
column-thing-id = Id
column-before = Before
column-after = After

# Accounts, and a new co-operative
deed-session-ended = ended another session
sessions = Where you are signed in
sessions-help = A session that you don't know is ended here. Change your password too then: it ends all others.
session-from = From
session-since = Since
session-last = Last used
session-end = End
session-this = this browser
last-sign-in = Last signed in
never-signed-in = never
add-coordinator = Add a coordinator
add-coordinator-help = The next page shows a first password, once. Give it to the person yourself.
coordinator-added = The account is made. This page is shown once.
sign-in-at = Sign in at
first-password = First password
first-password-help = Whoever gets it should change it right after signing in, below their name.
login-taken = This login is somebody's already. Nothing was changed.
first-run = Set up your co-operative
first-run-help = Four steps, and the first harvest can be recorded. This page stays until they are done.
first-run-done = done
first-run-villages = Villages
first-run-says-villages = Add the villages that your households live in, the places where they bring their harvest, and the telephone that they call.
first-run-products = Products
first-run-says-products = Add what your households grow, with a grade and a price for each kilogram.
first-run-households = Households
first-run-says-households = Add households one by one, or import a file of all of them.
first-run-invitations = Invitations
first-run-says-invitations = Print a sheet with a code for each household, or invite one from its page: a phone belongs to it from then on.
first-run-then = Others who work here, and lists that you have already:

# Names
household-unknown = a household without a name ({ $id })
role-of-household = Household { $name }
nobody = nobody in particular
whose-phone-missing = A coordinator's phone is somebody's: choose whose. Nothing was changed.
document-cooperative = The co-operative
document-catalogue = Catalogue
document-household = Particulars
document-harvest = Harvest book
document-receipts = Receipt book
document-cases = Case book
document-order = Order
set-aside-more = … and { $count } more

# Decisions
history-undone = Undone
history-looked-at = Looked at, and right
decision-settled = settled
decision-left = left as it is
decision-undone = undone
column-decision = Decision

# Deciding
settle-with = Settle with { $value }
merge-with = Make them one lot of { $value }
not-weighed-yet = Not weighed yet
settle-chosen = Settle with what is chosen or typed
merge-chosen = Make them one lot: the chosen one
settle-warehouse = Take the warehouse's weight, or the typed one
settle-state = Settle with the chosen state
rule-title = Settle many by one rule
rule-will = Nothing is settled yet. { $rule } would settle { $count ->
    [one] { $count } case
   *[other] { $count } cases
} like this:
rule-leaves-out = { $count ->
    [one] { $count } is left as it is: it changed, or shares a lot with one of these.
   *[other] { $count } are left as they are: they changed, or share a lot with one of these.
}
rule-fits-none = None of these can be settled by this rule any more. Nothing was changed.
two-lots = two lots: { $weights }
value-now = Now
value-then = Then
at-stake = At stake
at-stake-sum = At stake in all
stake = { $money } at stake
settle-many = Settle { $count ->
    [one] { $count } case
   *[other] { $count } cases
} so
settle-many-help = All of them can be undone at once afterwards.
settled-many = { $count ->
    [one] { $count } case was
   *[other] { $count } cases were
} settled at once.
undo-many = { $count ->
    [one] Undo it
   *[other] Undo all { $count }
}
undone-nothing = Nothing was undone: somebody has written since.
undone-but = Undone, but for what somebody wrote since:
undone-many = { $count } undone.
undone-many-left = { $left ->
    [one] { $count } undone, { $left } left as it is since somebody changed it:
   *[other] { $count } undone, { $left } left as they are since somebody changed them:
}
left-since = { $lot }: { $field } stays { $value }, written since by { $who }
left-since-merged = { $lot }: which lot counts was changed since, and stays so
left-since-gone = { $household }: the lot was withdrawn since
kind-order = An order's state
undone-already = This was undone already. Nothing was changed.

# Orders
order-to-pack = To pack
order-done = Done
order-closed = Closed
orders-found = { $count ->
    [one] { $count } order
   *[other] { $count } orders
}
orders-wrong = To look at
orders-over = Oversold
orders-unmapped = Goods unknown
orders-late = Later than promised
orders-after-sale = After-sale to decide
order-number = Order number
page-first = To the beginning
order-files-open = Import order files
order-unmapped = goods unknown
order-placed-at = Placed
order-paid-at = Paid on
order-promised-at = Promised to ship by
order-goods = Goods
order-own-state = Our state
order-over = { $packs ->
    [one] { $packs } pack
   *[other] { $packs } packs
} oversold
deed-reclaimed = took out what was written by someone who may not
trespass-case = Written by someone who may not
trespass-help = These fields are the server’s alone. What somebody else wrote there counts for nothing; taking it out leaves the server’s own value.
trespass-by = { $fields }, by { $who }
trespass-nobody = somebody unknown
trespass-take-out = Take it out
trespass-field-over = packs above what was set aside
trespass-field-allocation = which goods it is served from
trespass-field-served = what was set aside and sold
trespass-field-minutes = sold by minute
order-trespassed = Somebody wrote what only the server may write; it counts for nothing
order-lines = Lines
order-shipment = Tracking number
order-receiver = Receiver
order-no-receiver = Nothing is known of the receiver, or it was forgotten.
order-sealed = The receiver is sealed: only { $platform } can read it. Print the waybill there.
order-masked = The platform has masked a part: print the waybill there.
order-buyer-note = Buyer's note
order-seller-note = Shop's note
order-allocation = Served from
order-not-allocated = Nothing is allocated yet.
order-told = The platform says
told-to-ship = to ship
told-part-shipped = partly shipped
told-shipped = shipped
told-done = done
told-closed = closed
after-sale-asked = buyer asks
after-sale-part-refunded = partly refunded
after-sale-refunded = refunded
order-total = Paid
order-freight = Of it freight
order-pool = Channel
order-as-told = As the shop wrote
order-gift = Gift
order-map = Map
order-map-which = Choose a pack.
order-mapped-meanwhile = Somebody mapped this line meanwhile.

# Stock
part-stock = Stock
stock-as-of = As of { $time }
stock-help = Stock follows from receipts, goods bought in, orders and counts. Free is what may be sold, less what is set aside for live-streams.
stock-none = Nothing is in stock yet: lots that are received and goods that are bought in appear here.
stock-no-product = no product told
stock-present = There
stock-allocated = Allocated
stock-on-hand = On hand
stock-reserved = Set aside
stock-free = Free
stock-short = { $weight } more went out or is promised than is here to sell. Count what lies here, enter what came in but is not recorded yet, or stop selling some of it on a live-stream.
stock-short-some = Where “Free” is below nothing, more went out or is promised than is there to sell. Count what lies there, enter what came in but is not recorded yet, or stop selling some of it on a live-stream.
stock-holdings = Holdings
stock-cases = What disagrees
stock-cases-more = { $count } more
stock-show-empty = With { $count } of which nothing is left
stock-goods-in = Goods bought in
stock-goods-in-help = What was bought elsewhere. Households' harvests come in by their receipts, not here.
stock-product-missing = Choose a product.
stock-day-ahead = This day is still to come.
stock-expired-already = They expired before they came in.
stock-from = Bought from
stock-bin = Bin
stock-bins = Bins
stock-no-bin = no bin
stock-unplaced = bin not told
stock-expiry = Good until
stock-expiry-long = Good until; empty for goods that keep
stock-received-on = Came in
stock-recalled = recalled
stock-expired = expired
stock-unknown = nothing says that it came in
stock-counted-twice = counted twice
holding = Goods
holding-bought = Bought in
holding-bought-from = Bought from { $from }
holding-batch = Batch { $name }
lot-of-holding = the lot
stock-history = What happened to it
stock-event-in = came in
stock-event-loss = loss
stock-event-count = count
stock-event-move = moved
stock-event-recall = recall
stock-event-order = allocated to order
stock-event-packed = packed for order
stock-event-parcel = parcel
stock-event-batch = batch
stock-event-return = came back
stock-counts-not = does not count
stock-count = Count
stock-counted-kg = Counted (kg); 0 if nothing is left
stock-count-help = By the records { $weight } should be there.
stock-counted-meanwhile = Somebody counted it meanwhile: by the records it is { $now } now. Look again.
stock-loss = Loss
stock-reason = Reason
stock-move = Move
stock-move-from = From
stock-move-to = To
stock-same-bin = The goods lie in that bin already.
stock-recall = Recall
stock-recall-help = It is not sold and not allocated any more.
stock-take-back = A mistake: take it back

# Order files
part-order-files = Order files
order-files-drop = Drop the order files that the platform exported here, or choose them; several at once.
order-file = File
order-file-more = Shop and platform
order-file-profile = Which export it is
order-file-profile-by-itself = found by itself
order-file-bring = Look at it
order-file-missing = Choose a file.
order-files-too-large = That is too large: 100 MB at once at most, and 20 MB a file.
order-file-look = { $file }: look at it, then take it
order-file-profiles-wrong = Profiles that are not read
order-file-profiles-wrong-help = These files of the operator’s folder profiles/ are wrong; put them right and start the server again. All others work.
order-files-waiting = Files that wait
order-files-waiting-help = What is not taken is kept for a day, and not beyond a restart of the server.
order-files-taken = Files that were taken
order-files-none = No file was taken yet.
order-file-taken-at = When
order-file-became = What became of it
order-file-outcome = { $accepted } new, { $updated } changed, { $known } as known, { $refused } not taken
order-file-over = { $count } oversold
order-file-refused-rows = { $count ->
    [one] { $count } row
   *[other] { $count } rows
} refused
order-file-with = read together with { $file }
order-file-one-of-two = This is one of two files: drop the other one ({ $other }) too.
order-file-taken = Taken on { $time }: there is nothing to do.
order-file-taking = Being taken: { $done } of { $of ->
    [one] { $of } order
   *[other] { $of } orders
}.
order-file-taking-short = Being taken
order-file-taking-help = You may leave this page; the server goes on.
order-file-records = Rows
order-file-which = Which export is it?
order-file-unclear = This file fits several profiles. Say which it is; it need not be brought again.
order-file-is-this = It is this one
order-file-packs = Packs
order-file-to-pack = To pack
order-file-sealed = { $count ->
    [one] { $count } order
   *[other] { $count } orders
} with a sealed or masked receiver
order-file-changed = letters that nobody sees were taken out of { $count ->
    [one] { $count } row
   *[other] { $count } rows
}
order-file-told = The platform knew this at { $time }. An older export never moves an order back.
order-file-unmapped = Goods that nobody knows: { $count ->
    [one] { $count } code or name
   *[other] { $count } codes or names
}
order-file-unmapped-help = Say once which pack each is; later files know it.
order-file-unmapped-later = The file can be taken before.
order-file-unmapped-new = A pack that is in no choice is added on its product's page.
order-file-in-rows = row { $rows }
order-file-nothing = There is no order in it to take.
order-file-take = Take { $count ->
    [one] { $count } order
   *[other] { $count } orders
}
order-file-take-help = Rows that are refused keep no other row back.
order-file-drop = Don't take it: drop this file
order-file-put-away = Put this file away
order-file-why = Why
order-file-rows = Rows
order-file-refused = { $count ->
    [one] { $count } row
   *[other] { $count } rows
} refused
order-file-refused-help = Put them right, export again and drop the file again: nothing is taken twice.
order-file-refused-csv = Download this list (CSV)
order-file-refused-rows-title = Rows that are refused
order-file-skipped = { $count ->
    [one] { $count } row
   *[other] { $count } rows
} passed over
order-file-skipped-rows-title = Rows that are passed over

# The stream desk
part-streams = Live-streams
stream = Live-stream
stream-demo = Demo: a simulated live-stream. A simulated shop tells its orders through the interface; watch it sell out.
stream-demo-full = 3,000 orders in ten minutes
stream-demo-short = 300 orders in half a minute
streams-help = Plan a live-stream: who hosts it, in which shop, what it sells and how many packs are set aside. The server grants them from stock; while it is on, this page shows what is left.
no-streams = No live-stream is planned.
stream-no-skus = There are no packs to sell yet. Add one on a product's page:
streams-past = Past live-streams
stream-plan-new = Plan a live-stream
stream-plan-change = Change the plan
stream-code-help = Small letters, digits and hyphens, such as 1111-evening; it can't be changed later.
stream-host = Host
platform = Platform
shop = Shop (where there are several on one platform)
platform-douyin = Douyin
platform-kuaishou = Kuaishou
platform-weixin = WeChat shop
platform-pinduoduo = Pinduoduo
platform-taobao = Taobao
platform-youzan = Youzan
stream-starts = Begins
stream-ends = Ends
stream-ends-early = It must end after it begins.
stream-before = to come
stream-during = on now
stream-after = over
stream-offers = What it sells
stream-no-offers = Nothing is offered yet.
stream-wanted = Packs wanted
stream-sold = Sold
stream-offer-new = Offer another pack
stream-offer-change = Change
stream-offer-end = Stop selling
stream-offer-ended = not sold any more
stream-price = Price of a pack (¥)
stream-price-help = 0 for gifts and draws.
stream-wanted-packs = Packs wanted
stream-limit = Limit for each buyer (packs); empty for none
stream-margin = Held back (%)
stream-margin-help = Platforms are slow to update: some packs are not told to them, so that less is oversold. 0 holds nothing back.
stream-margin-wrong = Say a percentage from 0 to 100.
stream-lots = Lots that it is served from, one number on each line
stream-lots-help = Without any, the oldest go first.
stream-lot-unknown = There is no lot { $lot }.
stream-offer-begins = Sold from (for a flash sale)
stream-offer-ends = Sold until
stream-sku-missing = Choose a pack that is sold.
stream-more = Add packs
stream-call-off = Call it off
stream-end = End the live-stream
stream-end-help = Packs that were not sold go back to stock. Orders that the platform tells of later are still taken.
sku-unknown = This pack is not in the catalogue
stream-orders = Orders
stream-fen = Amount
stream-packs = Packs sold
stream-over = Packs oversold
stream-oversold = oversold
stream-oversold-by = Oversold by { $packs ->
    [one] { $packs } pack
   *[other] { $packs } packs
}
stream-last-told = Last order
stream-none-told = None yet
stream-slow = slow
stream-slow-help = No order came for { $seconds ->
    [one] { $seconds } second
   *[other] { $seconds } seconds
}. Look whether the platform still sells, and whether the program that sends orders still runs.
stream-packs-left = packs left
stream-packs-sold = packs sold
stream-sold-out = sold out
stream-not-granted = Nothing is granted yet
stream-of-granted = { $sold } sold of { $granted } granted
stream-granted-less = { $wanted } wanted, there is not enough in stock
stream-told-left = The platform is told { $left ->
    [one] { $left } pack is
   *[other] { $left } packs are
} left
stream-pace = At this pace sold out in about { $minutes } min
stream-packs-set-aside = packs set aside
stream-packs-off = { $packs } of them called off
stream-not-offered = Sold here without being offered
stream-gift = gift
stream-limit-short = at most { $packs } for each buyer
stream-flash = flash sale
stream-flash-before = has not begun
stream-flash-on = on now
stream-flash-after = over
stream-unmapped = { $count ->
    [one] { $count } order has goods that nobody has mapped yet; its packs are in no figure here.
   *[other] { $count } orders have goods that nobody has mapped yet; their packs are in no figure here.
}
stream-unmapped-see = See them
stream-count-orders = { $count ->
    [one] { $count } order
   *[other] { $count } orders
}
stream-called-off = Called off
stream-returned = Paid back
stream-to-pack = Packs to pack
stream-asked = Buyers who ask for something
stream-returns = Returns
stream-returns-help = Returns come after the stream, so this goes on. A day counts what the platform had told by its end. An order that was paid back is not counted as called off too.
stream-returned-until = Until
stream-returned-same-day = the end of the day of the stream
stream-returned-next-day = a day later
stream-returned-after = { $days ->
    [one] { $days } day
   *[other] { $days } days
} later
stream-returned-now = now, { $time }
stream-part-refunded = Of { $count ->
    [one] { $count } order
   *[other] { $count } orders
} a part was paid back; platforms don't tell how much, so it is not in these sums.
ready = Is all of it ready?
ready-what = What
ready-needed = Needed
ready-there = There
ready-enough = enough
ready-missing = { $count } missing
ready-unknown = not counted
ready-labels = Labels
ready-bags = Bags
ready-hands = People who pack
ready-pace = Packs that one of them packs in an hour
ready-in-lots = { $goods }, in the lots that are named
ready-hours = { $packs ->
    [one] The one pack is packed in { $hours } h { $minutes } min.
   *[other] All { $packs } packs are packed in { $hours } h { $minutes } min.
}
ready-no-hands = How long packing takes is shown once somebody says how many people pack, and how fast.
ready-count = Labels, bags and hands
ready-help = Count them before the stream. At most one label and one bag go to each pack. What is left empty is shown as not counted.
activity-field-stream-labels = labels
activity-field-stream-bags = bags
activity-field-stream-hands = people who pack
activity-field-stream-pace = packs an hour for each
stream-by-minute = Sold by minute
stream-as-of = As of { $time }
minute = Minute
packs = packs
seconds-ago = { $count } s ago
minutes-ago = { $count } min ago
hours-ago = { $count } h ago
activity-stock = Stock
activity-taken-back = taken back
activity-field-stream-host = host
activity-field-stream-platform = platform
activity-field-stream-shop = shop
activity-field-stream-starts = begins
activity-field-stream-ends = ends
activity-field-stream-ended = ended
activity-field-stream-offer-fen = price
activity-field-stream-offer-limit = limit
activity-field-stream-offer-wanted = packs wanted
activity-field-stream-offer-margin = held back
activity-field-stream-offer-lots = lots
activity-field-stream-offer-begins = sold from
activity-field-stream-offer-ends = sold until
activity-field-stream-offer-ended = not sold any more

# Packs that shops sell (SKUs)
skus = Packs that shops sell (SKUs)
skus-help = A shop sells packs: a product, a grade, a weight. The codes and names that shops write are kept here, so that imported orders are understood.
no-skus = No packs yet. Orders of shops find this product once there is one.
new-sku = Add a pack
sku = SKU
sku-code = SKU code
sku-code-help = The merchant's code in the shop, such as XM-05: at most 32 characters, no spaces. It can't be changed later.
sku-code-wrong = A SKU's code has 1 to 32 characters and no spaces.
sku-grams = Net weight of a pack (kg; 500 g is understood too)
sku-pack = Pack
sku-names = Names in shops
sku-codes = Other codes
sku-names-lines = Names that shops write, one on each line
sku-codes-lines = Other codes that shops use, one on each line
sku-lines-help = Exactly as in the shop's order files.
sku-lines-too-many = One SKU has at most 100 lines.
sku-shelf-days = Keeps
sku-shelf-days-long = Keeps for (days); empty where it has no end
sku-shelf-wrong = Say the days as a number, 1 to 9999.
sku-certificate = Certificate
certificate-yes = must have one
certificate-no = may have one
certificate-never = can't have one
sku-sold = Sold
sku-ended = No longer sold
end-sku = Stop selling this pack
end-sku-help = It is no longer offered for live-streams; old orders stay as they are.
sku-code-taken = "{ $text }" is already a code of SKU { $sku }. A code belongs to one SKU only.
sku-name-taken = "{ $text }" is already a name of SKU { $sku }. A name belongs to one SKU only.
sku-of-two = "{ $text }" is listed by two SKUs, so orders with it find neither. Take it out of one of them:
sku-no-product = There is no such product.
activity-field-sku-product = product
activity-field-sku-grade = grade
activity-field-sku-grams = net weight of a pack
activity-field-sku-shelf = keeps for (days)
activity-field-sku-certificate = certificate
activity-field-sku-name = name in shops
activity-field-sku-code = code in shops
activity-field-sku-ended = no longer sold
activity-field-order-sku = what is sold, of line
activity-value-true = yes
activity-value-false = no
moment-wrong = Say a day and a time, such as 2026-11-11 20:00.
whole-wrong = Say a whole number from { $least } to { $most }.

# Questions
history-asked = Asked
history-answered = Answered
field-question = Question
field-answer = Answer
overview-answered = Answers to your questions
part-questions = Questions to households
lots-under-question = Lots under question
only-questions = Only under question
questions-open = Waiting for an answer
questions-answered = Answered
questions-closed = Closed
no-questions-open = No question waits for an answer. Questions are asked on a lot's page.
no-questions-answered = Nothing was answered since you closed the last ones.
no-questions-closed = No question was closed yet.
lot-questions = Questions
question-text = Ask the household
question-help = It sees the question at its phone's next sync, for example: which field?
question-ask = Ask
question-waits = waits for an answer
question-close = Close
question-reopen = Open again
show-all = Show all
questions-ask-where = Open a lot, or tick several, to ask
question-closed-by = Closed by { $name }

# Unusual lots
unusual-right = Right
unusual-tick = The ticked ones are right
unusual-none-ticked = No lot was ticked. Nothing was changed.
unusual-window = Looked through: lots { $from } to { $to }, latest first.
unusual-first = Shown: the first { $count }; the others follow when these are looked at.
unusual-earlier = Earlier lots
unusual-later = Later lots
deed-found-right = unusual lots found right
deed-dropped = set-aside content dropped when its time was over
deed-taken-in = set-aside records taken in
deed-left-out = set-aside records refused

import-another = What is here changed since the file was looked at. This is what would happen now; nothing was imported yet.
export-catalogue = Catalogue, as an import reads it
column-code = code
column-zh = zh
column-en = en
detail-password-not-changed = the password was not changed
import-no-lot = there is no lot { $lot }
import-lot-differs = { $lot } is another one here: { $fields }. Lots are corrected on their pages, not by a file.
import-same-rows = Rows that say what is here already: { $count }.
case-weight-before = The warehouse weighed more than was recorded.
document-receiver = Receiver
document-stock = Stock book
document-stream = Live-stream
lot-kept-both = Somebody changed this meanwhile, or you did in another tab: both values are kept. Choose one below.
import-heads-households = name,village
import-heads-by-id = id,name,village
import-heads-products = code,zh,en,A,B,C
doer-server = the server
detail-name-erased = the name was erased
detail-with-books = with its books
detail-second-factor = second factor
detail-yes = yes
detail-no = no
