import GRDB
import Messages
import Store

/// An event of an outsider that was taken.
struct Publication: Sendable, Hashable {
    var source: String
    var id: String
    /// Of its bytes: the same id with others is a mistake of the sender.
    var digest: String
    var position: LogPosition
}

extension Transaction {
    func publication(source: String, id: String) throws -> Publication? {
        try Row.fetchOne(
            db.cachedStatement(sql: "SELECT * FROM publication WHERE source = ? AND id = ?"), arguments: [source, id]
        ).map {
            Publication(
                source: source, id: id, digest: $0["digest"],
                position: LogPosition(source: .ingest, epoch: $0["epoch"], seq: $0["seq"]))
        }
    }

    /// Publications whose events the log does not keep any more: the same id is another event from then on.
    func forgetOldPublications() throws {
        try db.cachedStatement(
            sql: """
                DELETE FROM publication WHERE rowid IN (
                    SELECT publication.rowid FROM publication, log WHERE log.source = ?
                    AND (publication.epoch, publication.seq) <= (log.base_epoch, log.base_seq) LIMIT 500)
                """
        ).execute(arguments: [Source.ingest.name])
    }

    func insert(_ publication: Publication) throws {
        try db.cachedStatement(sql: "INSERT INTO publication (source, id, digest, epoch, seq) VALUES (?, ?, ?, ?, ?)")
            .execute(arguments: [
                publication.source, publication.id, publication.digest, publication.position.epoch,
                publication.position.seq,
            ])
    }
}
