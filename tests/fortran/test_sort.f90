! SPDX-License-Identifier: MIT
!> The order of numbers: ascending, stable, nothing lost.
module test_sort
   use fennix_kinds, only : dp
   use fennix_error, only : error_type, to_text
   use fennix_sort, only : sorting_order
   use test_runner, only : check
   implicit none
   private
   public :: test_sort_small, test_sort_stable, test_sort_ordered, test_sort_random, test_sort_extremes

contains


!> Nothing, one and two numbers
subroutine test_sort_small(error)
   type(error_type), allocatable, intent(out) :: error
   real(dp) :: nothing(0)

   call check(error, size(sorting_order(nothing)) == 0, "the order of nothing is not empty")
   call check(error, all(sorting_order([3.0_dp]) == [1]), "the order of one number")
   call check(error, all(sorting_order([3.0_dp, 4.0_dp]) == [1, 2]), "two numbers in order")
   call check(error, all(sorting_order([4.0_dp, 3.0_dp]) == [2, 1]), "two numbers out of order")
   call check(error, all(sorting_order([2.0_dp, 9.0_dp, -1.0_dp, 4.0_dp, 0.0_dp]) == [3, 5, 1, 4, 2]), "five numbers")
end subroutine test_sort_small


!> Equal keys keep their order, whatever the length
subroutine test_sort_stable(error)
   type(error_type), allocatable, intent(out) :: error
   integer :: n, k

   do n = 1, 40
      call check(error, all(sorting_order(spread(1.5_dp, 1, n)) == [(k, k=1, n)]), "equal keys changed their order")
   end do
   call check(error, all(sorting_order([2.0_dp, 1.0_dp, 2.0_dp, 1.0_dp, 2.0_dp, 1.0_dp, 1.0_dp]) == &
      & [2, 4, 6, 7, 1, 3, 5]), "two values")
   call check(error, all(sorting_order([0.0_dp, -0.0_dp, 0.0_dp]) == [1, 2, 3]), "zeros of either sign")
end subroutine test_sort_stable


!> Ascending stays, descending is turned round, whatever the length
subroutine test_sort_ordered(error)
   type(error_type), allocatable, intent(out) :: error
   integer :: n, k

   do n = 1, 70
      call check(error, all(sorting_order([(real(k, dp), k=1, n)]) == [(k, k=1, n)]), &
         & to_text(n) // " ascending numbers were moved")
      call check(error, all(sorting_order([(-real(k, dp), k=1, n)]) == [(k, k=n, 1, -1)]), &
         & to_text(n) // " descending numbers were not turned round")
   end do
end subroutine test_sort_ordered


!> Every index once, keys ascending, equal ones by index; with many and with few equal keys
subroutine test_sort_random(error)
   type(error_type), allocatable, intent(out) :: error
   integer, parameter :: lengths(*) = [2, 3, 5, 8, 15, 16, 17, 31, 33, 64, 100, 1000, 4097]
   real(dp), allocatable :: keys(:)
   integer :: trial, i

   do i = 1, size(lengths)
      allocate(keys(lengths(i)))
      do trial = 1, 20
         call random_number(keys)
         if (mod(trial, 2) == 0) keys = floor(keys*trial)
         call compare(keys, sorting_order(keys), error)
         if (allocated(error)) return
      end do
      deallocate(keys)
   end do
end subroutine test_sort_random


subroutine compare(keys, order, error)
   real(dp), intent(in) :: keys(:)
   integer, intent(in) :: order(:)
   type(error_type), allocatable, intent(inout) :: error
   logical :: seen(size(keys))
   integer :: k

   seen = .false.
   call check(error, size(order) == size(keys), "the order has another length")
   if (allocated(error)) return
   call check(error, all(order >= 1 .and. order <= size(keys)), "an index that is not there")
   if (allocated(error)) return
   seen(order) = .true.
   call check(error, all(seen), "an index is missing among " // to_text(size(keys)))
   do k = 2, size(keys)
      if (keys(order(k - 1)) < keys(order(k))) cycle
      if (.not. keys(order(k - 1)) > keys(order(k)) .and. order(k - 1) < order(k)) cycle
      call check(error, .false., "place " // to_text(k) // " of " // to_text(size(keys)) // " is out of order")
      return
   end do
end subroutine compare


!> Numbers of very different size
subroutine test_sort_extremes(error)
   type(error_type), allocatable, intent(out) :: error

   call check(error, all(sorting_order([huge(1.0_dp), tiny(1.0_dp), -huge(1.0_dp), 0.0_dp, -tiny(1.0_dp)]) == &
      & [3, 5, 4, 2, 1]), "very large and very small numbers")
   call check(error, all(sorting_order([2147483647.0_dp, 2147483646.0_dp]) == [2, 1]), "large ids")
end subroutine test_sort_extremes

end module test_sort
