import Messages

/// Bytes as people read them.
enum Sizes {
    static func text(_ bytes: JSONValue?) -> String {
        guard let bytes = bytes?.double else { return "-" }
        let units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
        var (value, unit) = (bytes, 0)
        while value >= 1024, unit < units.count - 1 { (value, unit) = (value / 1024, unit + 1) }
        return unit == 0 ? "\(Int(value)) bytes" : "\((value * 10).rounded() / 10) \(units[unit])"
    }
}
