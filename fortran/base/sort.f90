! SPDX-License-Identifier: MIT
!> Order of numbers: a stable merge sort of indices.
module fennix_sort
   use fennix_kinds, only : dp
   implicit none
   private
   public :: sorting_order

contains


!> Indices that put the keys into ascending order; equal keys keep theirs
pure function sorting_order(keys) result(order)
   real(dp), intent(in) :: keys(:)
   !> One-based, (n)
   integer :: order(size(keys))
   integer :: scratch(size(keys))
   integer :: width, low, middle, high, n, k

   n = size(keys)
   order = [(k, k=1, n)]
   width = 1
   do while (width < n)
      do low = 1, n, 2*width
         middle = min(low + width, n + 1)
         high = min(low + 2*width, n + 1)
         if (middle >= high) cycle
         ! Runs that are in order already need no merging
         if (keys(order(middle - 1)) <= keys(order(middle))) cycle
         call merge_runs(keys, order, scratch, low, middle, high)
      end do
      width = 2*width
   end do
end function sorting_order


!> Merge order(low:middle-1) and order(middle:high-1)
pure subroutine merge_runs(keys, order, scratch, low, middle, high)
   real(dp), intent(in) :: keys(:)
   integer, intent(inout) :: order(:), scratch(:)
   integer, intent(in) :: low, middle, high
   integer :: left, right, k

   left = low
   right = middle
   do k = low, high - 1
      if (right >= high) then
         scratch(k) = order(left)
         left = left + 1
      else if (left >= middle) then
         scratch(k) = order(right)
         right = right + 1
      else if (keys(order(right)) < keys(order(left))) then
         scratch(k) = order(right)
         right = right + 1
      else
         scratch(k) = order(left)
         left = left + 1
      end if
   end do
   order(low:high - 1) = scratch(low:high - 1)
end subroutine merge_runs

end module fennix_sort
