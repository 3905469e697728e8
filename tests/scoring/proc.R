# The expected values of test_scoring_delong.py, by pROC of Debian's r-cran-proc:
#   apt-get install --no-install-recommends r-cran-proc && Rscript tests/scoring/proc.R
suppressMessages(library(pROC))
data(aSAH)
options(digits = 15)
first <- roc(aSAH$outcome, aSAH$wfns, levels = c("Good", "Poor"), direction = "<", quiet = TRUE)
second <- roc(aSAH$outcome, aSAH$s100b, levels = c("Good", "Poor"), direction = "<", quiet = TRUE)
test <- roc.test(first, second, method = "delong", paired = TRUE)
print(c(auc_wfns = as.numeric(auc(first)), auc_s100b = as.numeric(auc(second))))
print(c(var_wfns = var(first), var_s100b = var(second), cov = cov(first, second)))
print(c(z = unname(test$statistic), p = test$p.value, interval = as.numeric(test$conf.int)))
print(packageVersion("pROC"))
