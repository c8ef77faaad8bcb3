# Judge the archives of a directory by the retention policy, and say why each stays or goes.
#
# It follows manifests.awk. The policy is in the environment: see retention.sh. What comes out are facts, the oldest archive
# first. An archive stays if any rule keeps it; each project, label and database is judged by itself.
# Whatever the policy says, these stay: the newest proven one, the newest of the best grade, the pinned, the one that was
# just made, and unproven ones as long as no newer one is proven. So do those that were marked as shrunk, however good they
# are: they never take the place of one that holds what they lack. Those dated in the future stay too, and do not count: by
# a clock that was wrong they would be the newest for years.

BEGIN {
    demanded = rank[ENVIRON["proof"]]
    last = rule("max_backups")
    young = rule("keep_days")
    daily = rule("keep_daily")
    weekly = rule("keep_weekly")
    monthly = rule("keep_monthly")
    if (!demanded) refuse("there is no grade of proof " ENVIRON["proof"])
    if (!(last + young + daily + weekly + monthly)) refuse("a retention policy must keep something")
    now = seconds(ENVIRON["now"]) + ENVIRON["elapsed_seconds"]
}

END {
    for (i = 1; i <= files; i++) if (is_ours(listed[i])) take(listed[i])
    if (ENVIRON["upcoming"] != "") expect(ENVIRON["upcoming"])
    sort(order, archives)
    for (i = archives; i >= 1; i--) find_newest(name_in(order[i]))
    for (i = archives; i >= 1; i--) judge(name_in(order[i]))
    for (i = 1; i <= archives; i++) tell(name_in(order[i]))
}

function refuse(why) {
    print why | "cat >&2"
    exit
}

# 0 and nothing: there is no such rule.
function rule(name) {
    if (ENVIRON[name] !~ /^[0-9]*$/) refuse("a retention rule is a whole number, not " name "=" ENVIRON[name])
    return ENVIRON[name] + 0
}

function take(name,    told) {
    if (!(manifest_of(name) in size)) return
    if (!is_read(manifest_of(name), told) || !makes_sense(told) || !is_number(size[name])) {
        print "unreadable=" name
        return
    }
    enter(name, told["created"], told["project"] "\n" told["label"] "\n" told["database"])
    proof[name] = told["proof"]
    bytes[name] = number(told["bytes"])
    present_bytes[name] = number(size[name])
    pinned[name] = told["pinned"] == "yes"
    shrunk[name] = told["shrunk"] == "yes"
}

# The archive that a run would make now: judged with the others, not told of.
function expect(of_group) {
    enter("~", ENVIRON["now"], of_group)
    proof["~"] = ENVIRON["proof"]
}

function enter(name, time, of_group) {
    created[name] = time
    group[name] = of_group
    order[++archives] = time " " name
}

function name_in(key) {
    return substr(key, 22)
}

# An ISO week belongs to the year of its Thursday.
function week(time,    day, thursday, year) {
    day = day_of(time)
    thursday = day - (day + 6) % 7 + 3
    year = part(time, 1, 4)
    if (thursday < day_number(year, 1, 1)) year--
    else if (thursday >= day_number(year + 1, 1, 1)) year++
    return sprintf("%d-W%02d", year, int((thursday - day_number(year, 1, 1)) / 7) + 1)
}

# Five minutes are what clocks may differ by.
function is_ahead(name) {
    return seconds(created[name]) > now + 300
}

function is_intact(name) {
    return present_bytes[name] == bytes[name]
}

function is_proven(name) {
    return is_intact(name) && rank[proof[name]] >= demanded && !shrunk[name] && !is_ahead(name)
}

# To be called for the archives from the newest to the oldest.
function find_newest(name,    of) {
    if (!is_proven(name)) return
    of = group[name]
    if (!(of in newest)) newest[of] = name
    if (!(of in best) || rank[proof[name]] > rank[proof[best[of]]]) best[of] = name
}

function is_older(name, other) {
    return created[name] " " name < created[other] " " other
}

# To be called for the archives from the newest to the oldest.
function judge(name,    of) {
    of = group[name]
    stays = goes = ""
    if (name == ENVIRON["published"]) stay("just made")
    if (pinned[name]) stay("pinned")
    if (name == newest[of]) stay("newest proven")
    if (name == best[of]) stay("newest of the best grade (" proof[name] ")")
    if (is_ahead(name)) stay("dated in the future, by a clock that was wrong")
    else if (is_proven(name)) follow_rules(name, of)
    else if (newest[of] != "" && is_older(name, newest[of])) go(flaw(name) ", newer proven archive " shown(newest[of]) " exists")
    else stay(flaw(name) ", but no newer proven archive exists")
    keep[name] = stays != ""
    reason[name] = keep[name] ? stays : goes
}

function follow_rules(name, of) {
    if (last) follow(++place[of] <= last, "among the newest " last, "beyond the newest " last)
    if (young) follow(now - seconds(created[name]) < young * 86400, "younger than " young " days", "not younger than " young " days")
    if (daily) follow_calendar(of, daily, "daily", substr(created[name], 1, 10))
    if (weekly) follow_calendar(of, weekly, "weekly", week(created[name]))
    if (monthly) follow_calendar(of, monthly, "monthly", substr(created[name], 1, 7))
}

# The newest of each of so many periods that have one.
function follow_calendar(of, number_of_them, word, period,    is_newest) {
    is_newest = latest[of, word] != period
    latest[of, word] = period
    if (is_newest) periods[of, word]++
    follow(is_newest && periods[of, word] <= number_of_them, word ": newest of " period, "not among " number_of_them " " word)
}

function follow(holds, why, why_not) {
    if (holds) stay(why)
    else go(why_not)
}

function stay(why) {
    stays = stays (stays == "" ? "" : "; ") why
}

function go(why) {
    goes = goes (goes == "" ? "" : "; ") why
}

function flaw(name) {
    if (is_intact(name)) return (rank[proof[name]] >= demanded) ? "shrunk" : "unproven (" proof[name] ")"
    return "damaged: " present_bytes[name] " of " bytes[name] " bytes"
}

function shown(name) {
    return name == "~" ? "of the next run" : name
}

# For what goes, the archive on which its group stands is told too.
function tell(name,    of) {
    if (name == "~") return
    print (keep[name] ? "kept=" : "expired=") name " " reason[name]
    of = group[name]
    if (keep[name] || newest[of] == "~" || of in told_of) return
    told_of[of] = 1
    print "foundation=" newest[of]
}
