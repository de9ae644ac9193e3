package baseline

// RenameNew is for the tests of package baseline_test.
var RenameNew = renameNew
