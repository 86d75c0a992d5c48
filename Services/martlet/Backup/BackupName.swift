import Foundation
import Messages

/// Names of scheduled backups: their moment, so that they sort by it.
enum BackupName {
    /// `20261128T140000Z`.
    static func of(_ time: Timestamp) -> String {
        String(time.text.prefix(19)).replacing("-", with: "").replacing(":", with: "") + "Z"
    }

    static func isOne(_ name: String) -> Bool { name.wholeMatch(of: /[0-9]{8}T[0-9]{6}Z/) != nil }
}
