{{- define "frostbeat.fullname" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "frostbeat.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: agent
{{- end }}

{{- define "frostbeat.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{- define "frostbeat.image" -}}
{{- with .Values.image -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ with .digest }}@{{ . }}{{ end }}
{{- end }}
{{- end }}

{{- define "frostbeat.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (.Values.serviceAccount.create | ternary (include "frostbeat.fullname" .) "default") }}
{{- end }}

{{- define "frostbeat.trialEtcd" -}}
{{ include "frostbeat.fullname" . }}-etcd
{{- end }}

{{/* The agent's environment as a map: what follows from other values, and over it the settings. */}}
{{- define "frostbeat.settings" -}}
{{- $env := dict "POD_LOG_DIR" .Values.node.podLogDir "HTTP_PORT" .Values.httpPort }}
{{- with .Values.node.dockerDir }}{{ $_ := set $env "LOG_ROOTS" . }}{{ end }}
{{- with .Values.etcd }}
{{- if .credentialsSecret }}{{ $_ := set $env "ETCD_PASSWORD_FILE" "/etc/frostbeat/etcd/password" }}{{ end }}
{{- if .caSecret }}{{ $_ := set $env "ETCD_CA_FILE" "/etc/frostbeat/etcd/ca.crt" }}{{ end }}
{{- if .clientCertSecret }}
{{- $_ := set $env "ETCD_CERT_FILE" "/etc/frostbeat/etcd/tls.crt" }}
{{- $_ := set $env "ETCD_KEY_FILE" "/etc/frostbeat/etcd/tls.key" }}
{{- end }}
{{- end }}
{{- $env = merge (deepCopy .Values.settings) $env }}
{{- if .Values.trialEtcd.enabled }}
{{- $_ := set $env "ETCD_SERVERS" (printf "%s.%s:2379" (include "frostbeat.trialEtcd" .) .Release.Namespace) }}
{{- end }}
{{- toYaml $env }}
{{- end }}

{{- define "frostbeat.serveSelector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: serve
{{- end }}

{{/* Traces are read from etcd: without that writer there is nothing to serve. */}}
{{- define "frostbeat.serveEnabled" -}}
{{- if and .Values.serve.enabled (has "etcd" (splitList "," (.Values.settings.WRITERS | default "etcd" | replace " " ""))) }}yes{{ end }}
{{- end }}

{{/* Whether others than `kubectl port-forward` reach it: only where it asks who they are. */}}
{{- define "frostbeat.serveOpen" -}}
{{- if or .Values.serve.credentialsSecret .Values.serve.userHeader }}yes{{ end }}
{{- end }}

{{/* The environment of `frostbeat serve` as a map: how to reach etcd as the agents do, and its own. */}}
{{- define "frostbeat.serveSettings" -}}
{{- $agent := include "frostbeat.settings" . | fromYaml }}
{{- $env := dict "HTTP_PORT" "8080" "TRACE_GRACE" .Values.serve.traceGrace }}
{{- range $name := list "ETCD_SERVERS" "ETCD_CA_FILE" "ETCD_CERT_FILE" "ETCD_KEY_FILE" }}
{{- with index $agent $name }}{{ $_ := set $env $name . }}{{ end }}
{{- end }}
{{- if .Values.serve.etcdCredentialsSecret | default .Values.etcd.credentialsSecret }}
{{- $_ := set $env "ETCD_PASSWORD_FILE" "/etc/frostbeat/etcd/password" }}
{{- end }}
{{- with .Values.serve.userHeader }}{{ $_ := set $env "SERVE_USER_HEADER" . }}{{ end }}
{{- if .Values.serve.credentialsSecret }}{{ $_ := set $env "SERVE_PASSWORD_FILE" "/etc/frostbeat/access/password" }}{{ end }}
{{- toYaml $env }}
{{- end }}
