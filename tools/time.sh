#!/bin/sh
# How long the book takes, summed from what the chapters say. The book runs it when it is built.
set -eu
cd "$(dirname "$0")/.."

sum=0 chapters=0
for chapter in src/[0-9]*.md; do
    minutes=$(tr '\n' ' ' <"$chapter" | sed -n 's/.*[Ii]t takes \([0-9]*\) minutes.*/\1/p')
    sum=$((sum + minutes)) chapters=$((chapters + 1))
done
quarters=$(((sum + 14) / 15))
# 2¾ hours are 11 quarters.
hours=$((quarters / 4))
case $((quarters % 4)) in 0) part= ;; 1) part=¼ ;; 2) part=½ ;; 3) part=¾ ;; esac
echo "The $chapters chapters take about $hours$part hours, an evening, without the exercises."
