package stamp

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"time"
)

// metadataNamespace is the XML namespace of the properties of a certified copy.
const metadataNamespace = "https://github.com/saoy/saoy/ns/certified-copy/1/"

// property is one entry of our XMP schema.
type property struct{ name, value, description string }

func (f Facts) properties() []property {
	return []property{
		{"number", fmt.Sprint(f.Number.Seq), "Certificate number in the book"},
		{"book", f.Number.BookReference(), "Volume, year and code of the certification book"},
		{"date", f.Number.Date.Format(time.DateOnly), "Day of certification in Viet Nam"},
		{"agency", f.Agency.Name, "Agency that certified the copy"},
		{"agencyCode", f.Agency.Code, "Identification code of the agency"},
		{"verificationCode", f.Code, "Code under which the status of the copy can be looked up"},
		{"verificationURL", f.VerifyURL, "Address at which the status of the copy can be looked up"},
	}
}

// documentTitle is what viewers show in their title bar.
func (f Facts) documentTitle() string {
	title := "Bản sao chứng thực số " + f.Number.String()
	if f.Number.IsZero() {
		title = "Bản xem trước của bản sao chứng thực"
	}
	if f.Title != "" {
		title += ": " + strings.Join(strings.Fields(f.Title), " ")
	}
	return title
}

// metadata returns the XMP packet: PDF/A-2b identification, title, language, and the facts of
// the copy with the extension schema that describes them (ISO 19005-2 §6.6.2).
func (f Facts) metadata() []byte {
	var b bytes.Buffer
	b.WriteString("<?xpacket begin=\"\uFEFF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n" +
		`<x:xmpmeta xmlns:x="adobe:ns:meta/">` + "\n" +
		`<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` + "\n" +
		`<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:saoy="` + metadataNamespace + `">` + "\n" +
		"<pdfaid:part>2</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>\n" +
		"<dc:format>application/pdf</dc:format>\n")
	fmt.Fprintf(&b, "<dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">%s</rdf:li></rdf:Alt></dc:title>\n", escape(f.documentTitle()))
	fmt.Fprintf(&b, "<dc:creator><rdf:Seq><rdf:li>%s</rdf:li></rdf:Seq></dc:creator>\n", escape(f.Agency.Name))
	b.WriteString("<dc:language><rdf:Bag><rdf:li>vi-VN</rdf:li></rdf:Bag></dc:language>\n" +
		"<xmp:CreatorTool>Saoy</xmp:CreatorTool>\n")
	for _, p := range f.properties() {
		fmt.Fprintf(&b, "<saoy:%s>%s</saoy:%s>\n", p.name, escape(p.value), p.name)
	}
	b.WriteString("</rdf:Description>\n")
	f.writeExtensionSchema(&b)
	b.WriteString("</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"r\"?>\n")
	return b.Bytes()
}

// writeExtensionSchema describes our properties (ISO 19005-2 §6.6.2.3.3).
func (f Facts) writeExtensionSchema(b *bytes.Buffer) {
	b.WriteString(`<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">` + "\n" +
		`<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">` + "\n" +
		"<pdfaSchema:schema>Certified copy</pdfaSchema:schema>\n" +
		"<pdfaSchema:namespaceURI>" + metadataNamespace + "</pdfaSchema:namespaceURI>\n" +
		"<pdfaSchema:prefix>saoy</pdfaSchema:prefix>\n<pdfaSchema:property><rdf:Seq>\n")
	for _, p := range f.properties() {
		fmt.Fprintf(b, `<rdf:li rdf:parseType="Resource"><pdfaProperty:name>%s</pdfaProperty:name><pdfaProperty:valueType>Text</pdfaProperty:valueType><pdfaProperty:category>external</pdfaProperty:category><pdfaProperty:description>%s</pdfaProperty:description></rdf:li>`+"\n",
			p.name, p.description)
	}
	b.WriteString("</rdf:Seq></pdfaSchema:property>\n</rdf:li></rdf:Bag></pdfaExtension:schemas>\n</rdf:Description>\n")
}

func escape(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a bytes.Buffer does not fail
	return b.String()
}
