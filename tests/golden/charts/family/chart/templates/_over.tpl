{{ define "overridden" }}from the parent{{ end }}
