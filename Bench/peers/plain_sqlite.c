/* plain_sqlite PATH EVENTS BATCH: what a bus costs beside the bare work. One program writes each event's outbox row,
   state row and cursor, BATCH events a transaction, WAL and synchronous=FULL; durable once, delivered nowhere. */
#include "clock.h"
#include <sqlite3.h>

static sqlite3 *db;

static void run(const char *sql) {
    char *error = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &error)) fail(sql, error);
}

static sqlite3_stmt *prepare(const char *sql) {
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL)) fail(sql, sqlite3_errmsg(db));
    return statement;
}

static void step(sqlite3_stmt *statement) {
    if (sqlite3_step(statement) != SQLITE_DONE) fail("step", sqlite3_errmsg(db));
    sqlite3_reset(statement);
}

int main(int argc, char **argv) {
    if (argc != 4) fail("usage", "plain_sqlite PATH EVENTS BATCH");
    int events = atoi(argv[2]), batch = atoi(argv[3]);
    if (sqlite3_open(argv[1], &db)) fail("open", argv[1]);
    run("PRAGMA journal_mode=WAL");
    run("PRAGMA synchronous=FULL");
    run("PRAGMA wal_autocheckpoint=0");
    run("CREATE TABLE outbox (seq INTEGER PRIMARY KEY, body BLOB NOT NULL)");
    run("CREATE TABLE state (id INTEGER PRIMARY KEY, value INTEGER NOT NULL)");
    run("CREATE TABLE cursor (source TEXT PRIMARY KEY, seq INTEGER NOT NULL)");
    run("INSERT INTO cursor VALUES ('bench', 0)");
    sqlite3_stmt *outbox = prepare("INSERT INTO outbox VALUES (?, ?)");
    sqlite3_stmt *state = prepare("INSERT INTO state VALUES (?, ?)");
    sqlite3_stmt *cursor = prepare("UPDATE cursor SET seq = ? WHERE source = 'bench'");
    static char body[1024];
    memset(body, 'x', sizeof body);
    delays_t delays = {0};
    int64_t begun = monotonic();
    for (int first = 1; first <= events; first += batch) {
        int64_t start = monotonic();
        int last = first + batch - 1 < events ? first + batch - 1 : events;
        run("BEGIN IMMEDIATE");
        for (int n = first; n <= last; n++) {
            sqlite3_bind_int(outbox, 1, n);
            sqlite3_bind_blob(outbox, 2, body, sizeof body, SQLITE_STATIC);
            step(outbox);
            sqlite3_bind_int(state, 1, n);
            sqlite3_bind_int(state, 2, n);
            step(state);
        }
        sqlite3_bind_int(cursor, 1, last);
        step(cursor);
        run("COMMIT");
        delays_add(&delays, monotonic() - start);
    }
    report(begun, monotonic(), (size_t)events, &delays);
    return 0;
}
