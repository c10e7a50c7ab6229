package pdf

// commonNames are names that almost every object has. Those that are parsed share one value,
// for they are most of what a file makes a reader allocate.
var commonNames = func() map[string]Object {
	m := map[string]Object{}
	for _, n := range []Name{
		"Type", "Subtype", "Length", "Filter", "DecodeParms", "FlateDecode", "DCTDecode", "CCITTFaxDecode", "Predictor", "Columns",
		"Catalog", "Pages", "Page", "Parent", "Kids", "Count", "MediaBox", "CropBox", "Rotate", "Contents", "Resources", "ProcSet", "PDF",
		"XObject", "Image", "Form", "Width", "Height", "ColorSpace", "BitsPerComponent", "DeviceRGB", "DeviceGray", "ICCBased", "SMask",
		"BBox", "Matrix", "Group", "S", "N", "K", "P", "ExtGState", "Font", "FontDescriptor", "FontName", "BaseFont", "Encoding", "ToUnicode",
		"Annots", "Annot", "Widget", "Link", "Rect", "F", "AP", "FT", "Sig", "T", "V", "A", "URI", "Border", "Dest", "XYZ",
		"StructElem", "StructParents", "Pg", "MCR", "MCID", "Root", "Size", "Info", "ID", "Prev", "W", "Index", "XRef", "ObjStm", "First",
		"Metadata", "XML", "OutputIntents", "AcroForm", "Fields", "SigFlags", "Lang", "Names", "Outlines", "Title", "Next",
	} {
		m[string(n)] = n
	}
	return m
}()
