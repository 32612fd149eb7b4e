#!/bin/sh
# The aws command as an administrator uses it.
set -eu
programs=$1 endpoint=$2 region=$3 table=$4
export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any AWS_DEFAULT_REGION="$region" AWS_PAGER=
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
ddb() { "$programs/aws" dynamodb "$@" --endpoint-url "$endpoint"; }

ddb create-table --table-name "$table" --billing-mode PAY_PER_REQUEST --deletion-protection-enabled \
  --attribute-definitions AttributeName=id,AttributeType=S --key-schema AttributeName=id,KeyType=HASH \
  --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES --tags Key=team,Value=ops >/dev/null
ddb wait table-exists --table-name "$table"
ddb put-item --table-name "$table" --item '{"id":{"S":"a"},"n":{"N":"1"}}'
ddb update-item --table-name "$table" --key '{"id":{"S":"a"}}' --update-expression 'ADD n :two' \
  --expression-attribute-values '{":two":{"N":"2"}}' --return-values ALL_NEW | grep -q '"N": "3"'
test "$(ddb get-item --table-name "$table" --key '{"id":{"S":"a"}}' --query Item.n.N --output text)" = 3
ddb transact-write-items --transact-items \
  "[{\"Put\":{\"TableName\":\"$table\",\"Item\":{\"id\":{\"S\":\"b\"}}}},{\"Put\":{\"TableName\":\"$table\",\"Item\":{\"id\":{\"S\":\"c\"}}}}]"
test "$(ddb scan --table-name "$table" --select COUNT --query Count --output text)" = 3
test "$(ddb execute-statement --statement "SELECT * FROM \"$table\" WHERE id = 'b'" --query 'length(Items)' --output text)" = 1
arn=$(ddb describe-table --table-name "$table" --query Table.TableArn --output text)
test "$(ddb list-tags-of-resource --resource-arn "$arn" --query 'Tags[0].Value' --output text)" = ops
ddb describe-time-to-live --table-name "$table" | grep -q DISABLED
ddb describe-continuous-backups --table-name "$table" | grep -q PointInTimeRecovery
stream=$(ddb describe-table --table-name "$table" --query Table.LatestStreamArn --output text)
"$programs/aws" dynamodbstreams describe-stream --stream-arn "$stream" --endpoint-url "$endpoint" | grep -q ShardId
ddb delete-table --table-name "$table" 2>&1 >/dev/null | grep -q 'protected against deletion'
ddb update-table --table-name "$table" --no-deletion-protection-enabled >/dev/null
ddb delete-table --table-name "$table" >/dev/null
ddb wait table-not-exists --table-name "$table"
