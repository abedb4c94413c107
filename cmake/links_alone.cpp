// The main of a link check: the library under test is linked whole beside it, so that every symbol it uses must be
// found in what it declares. It does nothing when it runs.
int main() {}
