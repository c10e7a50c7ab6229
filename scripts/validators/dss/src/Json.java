import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A JSON object of strings, numbers, booleans, objects and lists. */
final class Json {
    private final Map<String, Object> members = new LinkedHashMap<>();

    Json put(String name, Object value) {
        members.put(name, value);
        return this;
    }

    void putAll(Json other) {
        members.putAll(other.members);
    }

    boolean has(String name) {
        return members.containsKey(name);
    }

    @Override
    public String toString() {
        StringBuilder b = new StringBuilder();
        append(b, this);
        return b.toString();
    }

    private static void append(StringBuilder b, Object value) {
        if (value instanceof Json object) {
            String separator = "{";
            for (Map.Entry<String, Object> m : object.members.entrySet()) {
                quote(b.append(separator), m.getKey());
                append(b.append(':'), m.getValue());
                separator = ",";
            }
            b.append(object.members.isEmpty() ? "{}" : "}");
        } else if (value instanceof List<?> list) {
            String separator = "";
            b.append('[');
            for (Object element : list) {
                append(b.append(separator), element);
                separator = ",";
            }
            b.append(']');
        } else if (value == null || value instanceof Number || value instanceof Boolean) {
            b.append(value);
        } else {
            quote(b, value.toString());
        }
    }

    private static void quote(StringBuilder b, String s) {
        b.append('"');
        for (char c : s.toCharArray()) {
            if (c == '"' || c == '\\') {
                b.append('\\').append(c);
            } else if (c < 0x20) {
                b.append(String.format("\\u%04x", (int) c));
            } else {
                b.append(c);
            }
        }
        b.append('"');
    }
}
