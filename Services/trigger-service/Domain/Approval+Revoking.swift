import Messages

extension Approval {
    /// What taking back an agreement came to.
    enum Revocation: Sendable, Hashable {
        /// It still waits, with one agreement less.
        case withdrawn
        /// It had been granted.
        case revoked
    }

    /// Takes back what was agreed (C-12): one's own agreement while more people are waited for, the whole once it was
    /// granted. Whoever may answer may do the latter, and who asked for the run as well: to stop needs no second person.
    ///
    /// - Throws: `Refusal` when there is nothing to take back, or it is not for this person to do.
    mutating func revoke(
        by person: String, email: String? = nil, groups: [String], comment: String?, at now: Timestamp
    ) throws(Refusal) -> Revocation {
        switch result {
        case nil:
            guard let own = agreed.firstIndex(where: { same($0.by, person) || sameAddress($0.email, email) }) else {
                throw Refusal(
                    "\(person) has not approved yet, so there is nothing to take back; `martlet reject \(id)` says no")
            }
            agreed.remove(at: own)
            return .withdrawn
        case .granted where revoked == nil:
            if !isRequester(person, email) { try check(person, email, groups) }
            revoked = Agreement(by: person, email: email, comment: comment, at: now)
            return .revoked
        case .granted: throw Refusal("the approval is revoked already, by \(revoked?.by ?? "somebody")")
        case .rejected?, .expired?, .void?, .canceled?:
            throw Refusal("the approval was not granted: it is \(result?.rawValue ?? "over")")
        }
    }
}
