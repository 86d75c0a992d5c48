import Martlet

@main
enum Program {
    static func main() async { await MartletMain.main() }
}
