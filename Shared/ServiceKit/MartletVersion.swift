/// Which Martlet this is: every program says it with `--version`, the console with its status.
package enum MartletVersion {
    /// After Semantic Versioning; written here and nowhere else.
    package static let number = "0.1.0"
    /// What `--version` prints.
    package static let text = "Martlet \(number)"
}
