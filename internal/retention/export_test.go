package retention

// ParseEntry reads an object of the list.
var ParseEntry = parseEntry
